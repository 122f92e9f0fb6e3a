package journal_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/internal/natsserver"
	"ivrqueue/cluster/journal"
	"ivrqueue/graph"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

var quiet = slog.New(slog.DiscardHandler)

// soon ends what would hang.
const soon = time.Minute

// startServer starts a NATS server with JetStream.
func startServer(tb testing.TB, dir string, store int64) *server.Server {
	tb.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, JetStreamMaxStore: store,
	})
	if err != nil {
		tb.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(soon) {
		tb.Fatal("the server does not start")
	}
	tb.Cleanup(func() { natsserver.Stop(s) })
	return s
}

func connect(tb testing.TB, s *server.Server) *nats.Conn {
	tb.Helper()
	// As a node does: it does not get what it sends.
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.Timeout(time.Minute), nats.NoEcho())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	return conn
}

// owner is a node with calls, whose journal is tested.
type owner struct {
	tb      testing.TB
	name    string
	journal *journal.Journal
	ledger  *graph.Ledger
	handler *graph.Handler
	holds   atomic.Bool
	deliver func(webhook.Delivery) error

	mu    sync.Mutex
	calls []*graph.Call
}

func (o *owner) epoch() journal.Epoch { return journal.Epoch{Node: o.name, Epoch: 7} }

func newOwner(tb testing.TB, conn *nats.Conn, name string, also ...func(*journal.Options)) *owner {
	tb.Helper()
	o := &owner{tb: tb, name: name, deliver: func(webhook.Delivery) error { return nil }}
	o.holds.Store(true)
	options := journal.Options{
		Bucket: "test", Node: name, Replicas: 1, Ledger: newLedger(0),
		Logger: slog.New(struct{ slog.Handler }{}), // it panics, which ends nothing
		Holds:  func(of callid.Owner) bool { return o.holds.Load() && of.Node == callid.Of(name) },
	}.ReuseAfter(time.Second)
	for _, change := range also {
		change(&options)
	}
	o.ledger = options.Ledger
	o.ledger.ConfirmBy(func(sent time.Time) bool { return !o.holds.Load() || !sent.IsZero() })
	var err error
	if o.journal, err = journal.Open(conn, options); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(o.journal.Close)
	o.handler, err = graph.New(graph.Platform{
		Authenticate: func(*http.Request) (graph.Application, error) { return graph.Application{ID: "app"}, nil },
		Deliver:      func(_ context.Context, d webhook.Delivery) error { return o.deliver(d) },
	}, graph.WithLedger(o.ledger), graph.WithLogger(quiet), graph.WithMaxRequests(0), graph.WithMaxBytes(0, 0),
		graph.WithCallIDs(func() uuid.UUID { return callid.New(callid.Owner{Node: callid.Of(name), Epoch: 7}) }))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		o.mu.Lock()
		calls := o.calls
		o.mu.Unlock()
		for _, c := range calls {
			_ = c.Detach(graph.ResultInfo{})
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = o.handler.Shutdown(ctx)
		for _, c := range calls {
			<-c.Queue().Done()
		}
	})
	return o
}

func newLedger(patience time.Duration) *graph.Ledger {
	l, err := graph.NewLedger(patience)
	if err != nil {
		panic(err)
	}
	return l
}

// patient has an owner's requests, and whoever asks other nodes, wait for as long as it takes: the
// machine may be held up.
func patient(o *journal.Options) {
	*o = o.Patient()
	o.Ledger = newLedger(soon)
}

func (o *owner) attach() *graph.Call {
	o.tb.Helper()
	q, err := queue.New(uuid.NewString(), new(queuetest.Media), queue.WithObserver(o.handler), queue.WithLogger(quiet))
	if err != nil {
		o.tb.Fatal(err)
	}
	c, err := o.handler.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: "app", CallbackURI: "x", State: graph.State{Call: graph.Established},
	})
	if err != nil {
		o.tb.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, c)
	return c
}

func (o *owner) play(c *graph.Call, clientContext string) time.Duration {
	o.tb.Helper()
	r := httptest.NewRequestWithContext(o.tb.Context(), http.MethodPost, "http://x/communications/calls/"+c.ID().String()+"/playPrompt",
		strings.NewReader(fmt.Sprintf(`{"clientContext":%q,"prompts":[{"mediaInfo":{"uri":"x:y"}}]}`, clientContext)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	start := time.Now()
	o.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		o.tb.Fatalf("play: %d %s", w.Code, w.Body)
	}
	return time.Since(start)
}

// eventually waits until something is so.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	over := time.NewTimer(soon)
	defer over.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-over.C:
			tb.Fatal("it never came to be: " + what)
		case <-look.C:
		}
	}
}

func opened(tb testing.TB, j *journal.Journal) {
	tb.Helper()
	eventually(tb, "the journal is open", func() bool { return j.Stats().Opened })
}

// What a call owes is in every mirror when its request is answered, and in none when it is over; a
// node that comes later reads it.
func TestWhatACallOwesIsMirrored(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a, b := newOwner(t, connect(t, s), "a", patient), newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	opened(t, b.journal)
	call := a.attach()
	a.play(call, "one")
	eventually(t, "it is mirrored", func() bool {
		o, err := b.journal.Owed(a.epoch(), call.ID())
		return err == nil && len(o.Operations) == 1 && o.Operations[0].ClientContext == "one" && o.CallbackURI == "x"
	})
	eventually(t, "it is counted", func() bool { return a.journal.Stats().Records == 1 && b.journal.Stats().Records == 1 })
	late := newOwner(t, connect(t, s), "c")
	opened(t, late.journal)
	if o, err := late.journal.Owed(a.epoch(), call.ID()); err != nil || len(o.Operations) != 1 {
		t.Errorf("one that comes later: %v, %v", o, err)
	}
	who, _ := callid.OwnerOf(call.ID())
	if !late.journal.Has(who, call.ID()) || late.journal.Has(callid.Owner{Node: who.Node, Epoch: 8}, call.ID()) {
		t.Error("it is not known whose the call is")
	}
	_ = call.Detach(graph.ResultInfo{})
	for _, j := range []*journal.Journal{a.journal, b.journal, late.journal} {
		eventually(t, "it is purged", func() bool { return j.Stats().Records == 0 })
	}
	eventually(t, "nothing is remembered of it", func() bool { return a.journal.Tracked() == 0 })
	after := newOwner(t, connect(t, s), "d")
	opened(t, after.journal)
	if n := after.journal.Stats().Records; n != 0 {
		t.Errorf("one that comes afterwards has %d records", n)
	}
}

// Changes while a write is under way go into the next one: there are fewer writes than changes.
func TestWritesAreCoalesced(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	var writing sync.RWMutex
	a, b := newOwner(t, connect(t, s), "a", func(o *journal.Options) {
		holds := o.Holds
		o.Holds = func(of callid.Owner) bool { // is asked before each write
			writing.RLock()
			defer writing.RUnlock()
			return holds(of)
		}
	}), newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	call := a.attach()
	a.play(call, "first")
	const n = 500
	func() {
		writing.Lock()
		defer writing.Unlock()
		for i := range n {
			a.ledger.Waive(true) // nobody waits
			a.play(call, strconv.Itoa(i))
		}
	}()
	if got := fmt.Sprintf("%+v", a.journal); got != "journal of a in test" { // and not read by reflection
		t.Error(got)
	}
	if err := a.journal.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are mirrored", func() bool {
		o, err := b.journal.Owed(a.epoch(), call.ID())
		return err == nil && len(o.Operations) == n+1
	})
	if s := a.journal.Stats(); s.Written > n/10 || s.Written == 0 {
		t.Errorf("%+v", s)
	}
}

// A large body has a key of its own, which goes when the body has arrived.
func TestLargeBodiesHaveKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a, b := newOwner(t, connect(t, s), "a"), newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	opened(t, b.journal)
	gate := make(chan struct{})
	first := true
	a.deliver = func(webhook.Delivery) error {
		if first { // the state
			first = false
			return nil
		}
		<-gate
		return nil
	}
	call := a.attach()
	eventually(t, "the state is told", func() bool { return call.Stats().Delivered == 1 })
	for i := range 20 {
		a.play(call, strings.Repeat(strconv.Itoa(i%10), 200))
	}
	call.Queue().CancelAll()
	eventually(t, "the large body is mirrored", func() bool {
		o, err := b.journal.Owed(a.epoch(), call.ID())
		return err == nil && len(o.Operations) == 0 && len(o.Posts) > 0 && b.journal.Bodies(a.epoch(), call.ID()) > 0
	})
	want := call.Owes()
	eventually(t, "the mirror has the same posts", func() bool {
		got, err := b.journal.Owed(a.epoch(), call.ID())
		if err != nil || len(got.Posts) != len(want.Posts) {
			return false
		}
		for i := range got.Posts {
			if string(got.Posts[i].Body) != string(want.Posts[i].Body) || got.Posts[i].ID != want.Posts[i].ID {
				return false
			}
		}
		return true
	})
	close(gate)
	eventually(t, "the body is gone", func() bool { return b.journal.Bodies(a.epoch(), call.ID()) == 0 })
	_ = call.Detach(graph.ResultInfo{})
	eventually(t, "and forgotten", func() bool { return a.journal.Tracked() == 0 })
}

// A node without a lease writes nothing: others tell what its calls owe.
func TestWithoutALeaseNothingIsWritten(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	a, b := newOwner(t, connect(t, s), "a"), newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	opened(t, b.journal)
	call := a.attach()
	a.play(call, "one")
	eventually(t, "it is mirrored", func() bool {
		o, err := b.journal.Owed(a.epoch(), call.ID())
		return err == nil && len(o.Operations) == 1
	})
	a.holds.Store(false)
	_ = call.Detach(graph.ResultInfo{})
	<-call.Done()
	if err := a.journal.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o, err := b.journal.Owed(a.epoch(), call.ID()); err != nil || len(o.Operations) != 1 {
		t.Errorf("the record is %v, %v", o, err)
	}
	b.journal.Purge(a.epoch(), call.ID())
	eventually(t, "purged by the heir", func() bool { return a.journal.Stats().Records == 0 && b.journal.Stats().Records == 0 })
	if err := b.journal.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := newOwner(t, connect(t, s), "c")
	opened(t, c.journal)
	if n := c.journal.Stats().Records; n != 0 {
		t.Errorf("%d records are in the bucket", n)
	}
}

// JetStream away: requests wait for their patience at first, and soon for nothing; the mirrors know
// all the same; when it is back, all is written.
func TestCallsGoOnWithoutJetStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, 1<<30)
	a, b := newOwner(t, connect(t, s), "a"), newOwner(t, connect(t, s), "b")
	opened(t, a.journal)
	opened(t, b.journal)
	call := a.attach()
	a.play(call, "before")
	if err := s.DisableJetStream(); err != nil {
		t.Fatal(err)
	}
	least := soon // the machine may be held up
	for i := range 10 {
		least = min(least, a.play(call, strconv.Itoa(i)))
	}
	if least > 2*time.Second {
		t.Errorf("10 plays took %v and more", least)
	}
	eventually(t, "nobody waits any more", func() bool { return a.play(call, "x") < 50*time.Millisecond })
	live := len(call.Owes().Operations)
	eventually(t, "the mirrors know", func() bool {
		o, err := b.journal.Owed(a.epoch(), call.ID())
		return err == nil && len(o.Operations) == live
	})
	if st := a.journal.Stats(); st.Available || st.Failed == 0 || a.ledger.Stats().Operations == 0 {
		t.Errorf("%+v %+v", st, a.ledger.Stats())
	}
	if err := s.EnableJetStream(&server.JetStreamConfig{StoreDir: dir, MaxMemory: 1 << 20, MaxStore: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	if err := a.journal.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says that it is written again", func() bool { return a.journal.Stats().Available })
	c := newOwner(t, connect(t, s), "c")
	opened(t, c.journal)
	if o, err := c.journal.Owed(a.epoch(), call.ID()); err != nil || len(o.Operations) != live {
		t.Errorf("in the bucket: %d operations, %v", len(o.Operations), err)
	}
}

// A disk that is full is a journal that is away.
func TestAFullDiskIsAJournalThatIsAway(t *testing.T) {
	t.Parallel()
	a := newOwner(t, connect(t, startServer(t, t.TempDir(), 64<<10)), "a")
	opened(t, a.journal)
	call := a.attach()
	for i := 0; a.journal.Stats().Failed == 0; i++ {
		if i == 2000 {
			t.Fatal("the disk does not get full")
		}
		if i%900 == 899 {
			call = a.attach()
		}
		a.play(call, strings.Repeat("x", 250))
	}
	eventually(t, "it is counted", func() bool {
		a.play(a.attach(), "x")
		return a.ledger.Stats().Operations > 0
	})
	eventually(t, "nobody waits any more", func() bool { return a.play(a.attach(), "x") < 50*time.Millisecond })
}

// Calls with ids of other kinds are not kept, and nobody waits for it.
func TestForeignCallsAreNotKept(t *testing.T) {
	t.Parallel()
	a := newOwner(t, connect(t, startServer(t, t.TempDir(), 1<<30)), "a", patient)
	opened(t, a.journal)
	q, err := queue.New("x", new(queuetest.Media), queue.WithObserver(a.handler), queue.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.handler.Attach(graph.Attachment{Queue: q, Tones: new(tone.Stream), Application: "app", ID: uuid.New(), State: graph.State{Call: graph.Established}})
	if err != nil {
		t.Fatal(err)
	}
	a.calls = append(a.calls, c)
	a.play(c, "x")
	if s := a.journal.Stats(); s.Foreign == 0 || s.Records != 0 || a.ledger.Stats().Operations != 0 {
		t.Errorf("%+v, %+v", s, a.ledger.Stats())
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	conn := connect(t, startServer(t, t.TempDir(), 1<<30))
	l, _ := graph.NewLedger(0)
	holds := func(callid.Owner) bool { return true }
	good := journal.Options{Bucket: "b", Node: "a", Replicas: 1, Ledger: l, Holds: holds}
	for what, change := range map[string]func(*journal.Options){
		"no bucket":   func(o *journal.Options) { o.Bucket = "" },
		"a bucket":    func(o *journal.Options) { o.Bucket = "a.b" },
		"no node":     func(o *journal.Options) { o.Node = "" },
		"a node":      func(o *journal.Options) { o.Node = "*" },
		"no ledger":   func(o *journal.Options) { o.Ledger = nil },
		"no lease":    func(o *journal.Options) { o.Holds = nil },
		"no replicas": func(o *journal.Options) { o.Replicas = 0 },
		"a majority":  func(o *journal.Options) { o.Majority = 1 },
		"no majority": func(o *journal.Options) { o.Others = func() []string { return nil } },
		"no handler":  func(o *journal.Options) { o.Logger = new(slog.Logger) },
	} {
		o := good
		change(&o)
		if j, err := journal.Open(conn, o); err == nil {
			j.Close()
			t.Errorf("%s: it is taken", what)
		}
	}
	if _, err := journal.Open(nil, good); err == nil {
		t.Error("a nil connection is taken")
	}
}

func FuzzKey(f *testing.F) {
	f.Add(journal.BatchKey("a", 7, "b", 9))
	f.Add(journal.BodyKey("node-1", 1, uuid.New(), uuid.New()))
	f.Add("a.0.x")
	f.Add("...")
	f.Fuzz(func(t *testing.T, s string) {
		if again, ok := journal.ParseKey(s); ok {
			if twice, ok := journal.ParseKey(again); !ok || twice != again {
				t.Errorf("%q became %q", s, again)
			}
		}
	})
}

// A batch that is cut short, or is none, is read as far as it goes.
func FuzzBatch(f *testing.F) {
	f.Add(journal.AppendRecord(journal.AppendRecord(nil, uuid.New(), 7, []byte("text")), uuid.New(), 1<<63, nil))
	f.Add([]byte("no batch"))
	f.Fuzz(func(t *testing.T, batch []byte) {
		var again []byte
		whole := journal.EachRecord(batch, func(call uuid.UUID, revision uint64, text []byte) {
			again = journal.AppendRecord(again, call, revision, text)
		})
		if whole && len(again) > len(batch) {
			t.Errorf("%x became %x", batch, again)
		}
	})
}

// BenchmarkJoin is how long a node takes to read a bucket of 100,000 records of 300 bytes, in
// batches of 10.
func BenchmarkJoin(b *testing.B) {
	const records = 100_000
	s := startServer(b, b.TempDir(), 4<<30)
	conn := connect(b, s)
	a := newOwner(b, conn, "a")
	opened(b, a.journal)
	text := []byte(strings.Repeat("x", 300))
	for i := range records / 10 {
		var batch []byte
		for range 10 {
			batch = journal.AppendRecord(batch, callid.New(callid.Owner{Node: callid.Of("z"), Epoch: 7}), 1, text)
		}
		if err := conn.Publish("$KV.test."+journal.BatchKey("z", 7, "z", uint32(i)), batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		late := newOwner(b, connect(b, s), "b")
		if err := late.journal.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		if n := late.journal.Stats().Records; n != records {
			b.Fatalf("%d records", n)
		}
	}
}
