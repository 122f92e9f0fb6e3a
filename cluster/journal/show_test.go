package journal_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/journal"
	"ivrqueue/graph"
	"ivrqueue/webhook"
)

// others are the live nodes besides the owner.
type others struct {
	mu    sync.Mutex
	names []string
}

func (o *others) set(names ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names = names
}

func (o *others) list() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.names)
}

// with has an owner show what it writes to these nodes.
func (o *others) with(majority int) func(*journal.Options) {
	return func(j *journal.Options) { j.Others, j.Majority = o.list, majority }
}

func othersOf(names ...string) *others {
	o := new(others)
	o.set(names...)
	return o
}

// withoutJetStream takes JetStream away, as soon as the owners have their bucket.
func withoutJetStream(tb testing.TB, s *server.Server, owners ...*owner) {
	tb.Helper()
	for _, o := range owners {
		opened(tb, o.journal)
	}
	if err := s.DisableJetStream(); err != nil {
		tb.Fatal(err)
	}
}

// A request is answered when all others have what it makes the call owe, without JetStream: the
// slowest of them, too.
func TestWhatIsAnsweredIsInAllMirrors(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b", "slow").with(1), patient)
	b := newOwner(t, connect(t, s), "b")
	h := newHearer(t, connect(t, s), "slow")
	h.late.Store(int64(20 * time.Millisecond))
	call := a.attach()
	withoutJetStream(t, s, a, b)
	for i := range 20 {
		if took := a.play(call, strconv.Itoa(i)); took < 20*time.Millisecond {
			t.Errorf("play %d was answered after %v, and not all others had answered", i, took)
		}
		o, err := b.journal.Owed(a.epoch(), call.ID())
		if err != nil || o.Operations[len(o.Operations)-1].ClientContext != strconv.Itoa(i) {
			t.Errorf("play %d was answered, and b has not got it: %v", i, err)
		}
	}
	if a.ledger.Stats().Operations > 0 || a.journal.Stats().Shown == 0 || h.of(call.ID()).revision == 0 {
		t.Errorf("%+v; %+v", a.ledger.Stats(), a.journal.Stats())
	}
}

// The bucket gets what was shown, in fewer records.
func TestWhatIsShownIsWritten(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b").with(1), patient)
	b := newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	opened(t, b.journal)
	call := a.attach()
	const n = 200
	for i := range n {
		a.play(call, strconv.Itoa(i))
	}
	if err := a.journal.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	late := newOwner(t, connect(t, s), "c")
	opened(t, late.journal)
	if o, err := late.journal.Owed(a.epoch(), call.ID()); err != nil || len(o.Operations) != n {
		t.Errorf("in the bucket: %d operations, want %d: %v", len(o.Operations), n, err)
	}
	if st := a.journal.Stats(); st.Written > n/2 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
}

// A node that lives and does not answer is waited for until that is known; then the bucket is.
func TestASilentNodeIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b", "silent").with(1))
	b := newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	call := a.attach()
	a.play(call, "first")
	eventually(t, "nobody waits for it any more", func() bool {
		late := a.ledger.Stats().Operations
		for range 10 {
			a.play(call, "next")
		}
		return a.ledger.Stats().Operations == late
	})
	a.play(call, "last") // and the bucket gets it at once
	eventually(t, "it is written", func() bool { return a.journal.Stats().Waiting == 0 })
	eventually(t, "the other has it", func() bool {
		o, err := b.journal.Owed(a.epoch(), call.ID())
		return err == nil && len(o.Operations) == len(call.Owes().Operations)
	})
}

// Without JetStream a delivery waits until a majority has it: it is shown again until then.
func TestADeliveryWaitsForAMajority(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b", "c", "d", "e").with(2))
	b := newOwner(t, connect(t, s), "b")
	delivered := make(chan struct{}, 100)
	a.deliver = func(webhook.Delivery) error {
		delivered <- struct{}{}
		return nil
	}
	withoutJetStream(t, s, a, b)
	call := a.attach()
	a.play(call, "x")
	call.Queue().CancelAll()
	select {
	case <-delivered:
		t.Fatal("delivered, and one of four others has it")
	case <-time.After(3 * time.Second):
	}
	newOwner(t, connect(t, s), "d")
	select {
	case <-delivered:
	case <-time.After(soon):
		t.Fatal("two of four others have it, and it is not delivered")
	}
}

// A durable journal has in the bucket what is answered.
func TestADurableJournalWaitsForTheBucket(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b").with(1), func(o *journal.Options) { o.Durable = true })
	b := newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	call := a.attach()
	a.play(call, "with it")
	if st, late := a.journal.Stats(), a.ledger.Stats().Operations; st.Written == 0 && late == 0 {
		t.Errorf("answered, and nothing is written: %+v", st)
	}
	withoutJetStream(t, s, a, b)
	late := a.ledger.Stats().Operations
	a.play(call, "without it")
	if a.ledger.Stats().Operations == late {
		t.Error("answered as if it were in the bucket")
	}
}

// What was shown to a node of this name, or is none of a life, is ignored.
func TestOthersShowNothingOfThisNode(t *testing.T) {
	t.Parallel()
	server := startServer(t, t.TempDir(), 1<<30)
	a, conn := newOwner(t, connect(t, server), "a"), connect(t, server)
	batch := journal.AppendRecord(nil, a.attach().ID(), 9, []byte(`{}`))
	packed := s2.Encode(nil, batch)
	for _, subject := range []string{"a.7", "b.0", "b.x", "b", "b.7.more", "b.4294967296"} {
		if m, err := conn.Request("test.shown."+subject, packed, 200*time.Millisecond); err == nil {
			t.Errorf("%s: answered %q", subject, m.Data)
		}
	}
	large := s2.Encode(nil, bytes.Repeat([]byte{0}, 64<<20+1))
	for what, data := range map[string][]byte{
		"a batch that is cut short": s2.Encode(nil, batch[:len(batch)-1]), "a part of one": packed[:len(packed)-1],
		"none": nil, "one that is not compressed": []byte("\x05not compressed"), "one that is too large": large,
		"one that lies about its size": append(binary.AppendUvarint(nil, 1<<32-1), packed[1:]...),
	} {
		if m, err := conn.Request("test.shown.b.7", data, 200*time.Millisecond); err == nil {
			t.Errorf("%s: answered %q", what, m.Data)
		}
	}
	if m, err := conn.Request("test.shown.b.7", packed, time.Minute); err != nil || string(m.Data) != "a" {
		t.Errorf("a good one: %v", err)
	}
}

// hearer is a node that gets what is shown, and answers unless it is deaf.
type hearer struct {
	deaf   atomic.Bool
	late   atomic.Int64 // nanoseconds, until it answers
	lost   atomic.Int64 // batches
	mu     sync.Mutex
	calls  map[uuid.UUID]heard
	missed map[uuid.UUID]uint64 // the newest revision that was lost
}

// heard is the newest record of a call.
type heard struct {
	revision uint64
	over     bool
}

func newHearer(tb testing.TB, conn *nats.Conn, name string) *hearer {
	tb.Helper()
	h := &hearer{calls: make(map[uuid.UUID]heard), missed: make(map[uuid.UUID]uint64)}
	_, err := conn.Subscribe("test.shown.>", func(m *nats.Msg) {
		batch, err := s2.Decode(nil, m.Data)
		if err != nil {
			tb.Errorf("a batch: %v", err)
		}
		h.mu.Lock()
		if h.deaf.Load() {
			journal.EachRecord(batch, func(call uuid.UUID, revision uint64, _ []byte) {
				h.missed[call] = max(h.missed[call], revision)
			})
			h.mu.Unlock()
			h.lost.Add(1)
			return
		}
		journal.EachRecord(batch, func(call uuid.UUID, revision uint64, text []byte) {
			if revision >= h.calls[call].revision {
				h.calls[call] = heard{revision, len(text) == 0}
			}
		})
		h.mu.Unlock()
		time.AfterFunc(time.Duration(h.late.Load()), func() { _ = m.Respond([]byte(name)) })
	})
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func (h *hearer) of(call uuid.UUID) heard {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[call]
}

// lacks is the newest revision of a call that it missed.
func (h *hearer) lacks(call uuid.UUID) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.missed[call]
}

// has reports whether it has what it missed of a call. What the call owes by now may be newer: a
// change that nobody waits for is in the bucket only.
func (h *hearer) has(call uuid.UUID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.missed[call] > 0 && h.calls[call].revision >= h.missed[call]
}

// A node that lives gets what it has missed, though nothing changes any more: it may be the heir,
// and would deliver another end.
func TestANodeGetsWhatItHasMissed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ ends, silent, alone bool }{
		"one message is lost":           {},
		"it was silent":                 {silent: true},
		"the call has ended meanwhile":  {ends: true},
		"silent until a call has ended": {ends: true, silent: true},
		"there is no other":             {silent: true, alone: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, t.TempDir(), 1<<30)
			live := othersOf("c")
			if !c.alone {
				live.set("b", "c")
				newOwner(t, connect(t, s), "b")
			}
			a := newOwner(t, connect(t, s), "a", live.with(1))
			h := newHearer(t, connect(t, s), "c")
			opened(t, a.journal)
			call, other := a.attach(), a.attach()
			eventually(t, "it hears", func() bool { return h.of(call.ID()).revision > 0 })
			h.deaf.Store(true)
			a.play(call, "missed")
			eventually(t, "it is lost", func() bool { return h.lacks(call.ID()) > 0 })
			if lost := h.lost.Load(); c.silent {
				eventually(t, "it is shown again", func() bool { return h.lost.Load() > lost+2 })
			}
			if c.ends {
				_ = call.Detach(graph.ResultInfo{})
				eventually(t, "it is over", func() bool { return a.journal.Stats().Records == 1 })
			}
			h.deaf.Store(false)
			if !c.silent {
				a.play(other, "heard")
			}
			eventually(t, "it has it", func() bool {
				return h.has(call.ID()) && h.of(call.ID()).over == c.ends
			})
		})
	}
}

// A node that has lost a message, and answers to the next, gets it at once.
func TestWhatIsLostIsShownAgainAtOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("c").with(1))
	h := newHearer(t, connect(t, s), "c")
	opened(t, a.journal)
	call, other := a.attach(), a.attach()
	eventually(t, "it hears", func() bool { return h.of(call.ID()).revision > 0 })
	eventually(t, "it is soon", func() bool { // the machine may be held up
		h.deaf.Store(true)
		lost := h.lacks(call.ID())
		played := make(chan struct{})
		go func() {
			defer close(played)
			a.play(call, "lost")
		}()
		eventually(t, "it is lost", func() bool { return h.lacks(call.ID()) > lost })
		h.deaf.Store(false)
		began := time.Now()
		a.play(other, "heard")
		<-played
		eventually(t, "it has it", func() bool { return h.has(call.ID()) })
		return time.Since(began) < 100*time.Millisecond
	})
}

// What nobody could be shown is shown to who lives later.
func TestWhatNobodySawIsShownLater(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	live := othersOf()
	a := newOwner(t, connect(t, s), "a", live.with(1))
	b := newOwner(t, connect(t, s), "b")
	delivered := make(chan struct{}, 100)
	a.deliver = func(webhook.Delivery) error {
		delivered <- struct{}{}
		return nil
	}
	withoutJetStream(t, s, a, b)
	call := a.attach()
	a.play(call, "x")
	live.set("b")
	select {
	case <-delivered:
	case <-time.After(soon):
		t.Fatal("the other node lives, and it is not delivered")
	}
}

// What could not be written is shown, though nobody is known to wait for it.
func TestWhatIsNotWrittenIsShown(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("c").with(1))
	h := newHearer(t, connect(t, s), "c")
	withoutJetStream(t, s, a)
	call := a.attach()
	eventually(t, "it is delivered", func() bool { return call.Stats().Delivered == 1 })
	eventually(t, "the other knows that", func() bool {
		return h.of(call.ID()).revision >= call.Owes().Revision
	})
}

// An answer counts that comes when the calls are shown again already: all of them may be late.
func TestLateAnswersCount(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("slow").with(1))
	h := newHearer(t, connect(t, s), "slow")
	h.late.Store(int64(2 * time.Second))
	delivered := make(chan struct{}, 100)
	a.deliver = func(webhook.Delivery) error {
		delivered <- struct{}{}
		return nil
	}
	withoutJetStream(t, s, a)
	a.attach()
	select {
	case <-delivered:
	case <-time.After(soon):
		t.Fatal("the other node has it for long, and it is not delivered")
	}
}

// Where those that live are no majority, who waits does not wait for a sweep.
func TestTooFewOthersAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b").with(2))
	newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	call := a.attach()
	eventually(t, "nobody waits for long", func() bool {
		late := a.ledger.Stats().Operations
		for range 6 {
			a.play(call, "next")
		}
		return a.ledger.Stats().Operations == late
	})
}

// The calls that a life begins with are remembered once each: nothing stays of them.
func TestTheFirstCallsOfALifeAreForgotten(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	gate := make(chan struct{})
	a := newOwner(t, connect(t, s), "a", func(o *journal.Options) {
		o.Majority = 1
		o.Others = func() []string {
			<-gate
			return nil
		}
	})
	calls := []*graph.Call{a.attach(), a.attach(), a.attach()} // before the first batch
	close(gate)
	opened(t, a.journal)
	eventually(t, "they are written", func() bool { return a.journal.Stats().Records == len(calls) })
	for _, call := range calls {
		a.play(call, "x")
		_ = call.Detach(graph.ResultInfo{})
	}
	eventually(t, "nothing is remembered of them", func() bool { return a.journal.Tracked() == 0 })
	late := newOwner(t, connect(t, s), "c")
	opened(t, late.journal)
	if n := late.journal.Stats().Records; n != 0 {
		t.Errorf("%d of them come back", n)
	}
}

// A call of a life before waits for nobody: it is not shown any more, and nothing of it is sent.
func TestCallsOfALifeBeforeWaitForNobody(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a := newOwner(t, connect(t, s), "a", othersOf("b").with(1))
	a.ledger.ConfirmBy(func(sent time.Time) bool { return !sent.IsZero() }) // as in the next life
	delivered := make(chan struct{}, 100)
	a.deliver = func(webhook.Delivery) error { // where it is refused
		delivered <- struct{}{}
		return nil
	}
	a.holds.Store(false)
	a.attach()
	select {
	case <-delivered:
	case <-time.After(soon):
		t.Fatal("it waits for ever")
	}
}
