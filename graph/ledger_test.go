package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// keeper keeps what a ledger has, as a journal does.
type keeper struct {
	ledger *graph.Ledger
	stop   chan struct{}
	done   chan struct{}
	broken atomic.Bool // it keeps nothing

	mu   sync.Mutex
	kept map[uuid.UUID][]byte
}

func newKeeper(tb testing.TB) *keeper {
	tb.Helper()
	l, err := graph.NewLedger(0)
	if err != nil {
		tb.Fatal(err)
	}
	k := &keeper{
		ledger: l, stop: make(chan struct{}), done: make(chan struct{}), kept: map[uuid.UUID][]byte{},
	}
	return k
}

// run keeps until the end.
func (k *keeper) run() {
	defer close(k.done)
	for {
		select {
		case <-k.stop:
			return
		case <-k.ledger.Changed():
		}
		time.Sleep(100 * time.Millisecond) // whoever does not wait for it is earlier
		if !k.broken.Load() {
			k.keep()
		}
	}
}

func (k *keeper) keep() {
	for _, c := range k.ledger.Take(1000) {
		o := c.Owes()
		text, err := json.Marshal(o)
		if err != nil {
			panic(err)
		}
		k.mu.Lock()
		if k.kept[o.CallID] = text; o.Over {
			delete(k.kept, o.CallID)
		}
		k.mu.Unlock()
		c.Kept(o.Revision)
	}
}

// owed reads back what is kept of a call.
func (k *keeper) owed(tb testing.TB, id uuid.UUID) (o graph.Owed) {
	tb.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := json.Unmarshal(k.kept[id], &o); err != nil {
		tb.Fatalf("%v: %q", err, k.kept[id])
	}
	return o
}

// begin runs the keeper until the returned function is called.
func (k *keeper) begin() (end func()) {
	go k.run()
	return func() {
		close(k.stop)
		<-k.done
	}
}

// afterwards delivers what is left of a call, and shows it.
func afterwards(tb testing.TB, o *graph.Owed) (shown []string) {
	tb.Helper()
	var box inbox
	for _, d := range o.Deliveries() {
		if err := box.Deliver(tb.Context(), d); err != nil {
			tb.Fatal(err)
		}
	}
	return lines(box.all())
}

// What a call owes is kept before its answer is written, and enough to deliver its end.
func TestWhatACallOwesIsKeptBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, k := new(inbox), newKeeper(t)
		defer k.begin()()
		p := newPlatform(t, box.Deliver, graph.WithLedger(k.ledger))
		bot := p.direct()
		bot.request(http.MethodPost, "/communications/calls", `{"callbackUri":"x"}`).must(t, 201)
		call := p.last()
		equal(t, "a new call", afterwards(t, new(k.owed(t, call.ID()))), []string{
			"updated call established", "deleted call terminated 500/9999",
		})
		time.Sleep(time.Second) // established was delivered, and that is kept
		for _, action := range []string{"playPrompt", "recordResponse"} {
			bot.post(call, action, playBody).must(t, 200)
		}
		o := k.owed(t, call.ID())
		equal(t, "two operations", afterwards(t, &o), []string{
			"deleted playPromptOperation failed p 500/9999",
			"deleted recordOperation failed p 500/9999", "deleted call terminated 500/9999",
		})
		equal(t, "the callback", o.CallbackURI, "x")
		equal(t, "late", k.ledger.Stats(), graph.LedgerStats{})
	})
}

// What is delivered of a call in the place of its process is the same, whoever delivers it.
func TestWhatIsOwedIsSentInTheSameBytes(t *testing.T) {
	t.Parallel()
	o := graph.Owed{
		CallID: uuid.MustParse("57dab8b1-894c-409a-b240-bd8beae78896"), Application: "a",
		CallbackURI: "https://bot.example/cb", Direction: "outgoing", Version: 3,
		Posts: []graph.OwedPost{{ID: uuid.MustParse("0fe0623f-d628-42ed-b4bd-8ac290072cc5"), Notifications: 1, Body: []byte(`{"value":[ {"as":"it is"}]}`)}},
	}
	for i := range 2*graph.Batch + 1 {
		o.Operations = append(o.Operations, graph.OwedOperation{
			ID: uuid.NewSHA1(o.CallID, []byte{byte(i)}), Kind: operation.KindPlayPrompt, ClientContext: strconv.Itoa(i),
		})
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var again graph.Owed
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	one, two := o.Deliveries(), again.Deliveries()
	equal(t, "posts", len(one), 4)
	equal(t, "unchanged", string(one[0].Body), string(o.Posts[0].Body))
	for i := range one {
		one[i].Since, two[i].Since = time.Time{}, time.Time{}
		equal(t, "ids", one[i].ID, two[i].ID)
		equal(t, "bodies", string(one[i].Body), string(two[i].Body))
		equal(t, "notifications", one[i].Notifications, two[i].Notifications)
	}
	last := one[len(one)-1]
	equal(t, "the last body", last.Notifications, 2)
	if !strings.Contains(string(last.Body), `"@odata.etag":"W/\"4\"","id":"57dab8b1-894c-409a-b240-bd8beae78896","state":"terminated"`) {
		t.Errorf("got %s", last.Body)
	}
	o.Ended, o.Operations = true, nil
	equal(t, "of one that has ended", len(o.Deliveries()), 1)
	o.Over = true
	equal(t, "of one that is over", len(o.Deliveries()), 0)
}

// An end that is rendered without its call has the members of one that it has made.
func TestAnEndWithoutItsCallIsNotifiedAsWithIt(t *testing.T) {
	t.Parallel()
	for _, guids := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			box, k := new(inbox), newKeeper(t)
			k.ledger.Waive(true)
			opts := []graph.Option{
				graph.WithLedger(k.ledger), graph.WithKind(graph.KindSpec{Kind: "speak", Type: "#contoso.speakOperation"}),
			}
			if guids {
				opts = append(opts, graph.WithGUIDs())
			}
			p := newPlatform(t, box.Deliver, opts...)
			call := p.attach("bot", "x")
			for _, kind := range []operation.Kind{operation.KindPlayPrompt, operation.KindRecordResponse, operation.KindSendTones, "speak"} {
				if _, err := call.Queue().Enqueue(t.Context(), requestOf(kind)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			k.keep()
			o := k.owed(t, call.ID())
			box.forget()
			for n := range 4 { // they fail, unspecified
				task, err := call.media.WaitStarted(t.Context(), n+1)
				if err != nil {
					t.Fatal(err)
				}
				task.Fail(errors.New("for some reason"))
			}
			_ = call.Detach(graph.ResultInfo{Code: 500, Subcode: 9999, Message: operation.Unspecified.Message()})
			synctest.Wait()
			var without inbox
			for _, d := range o.Deliveries() {
				_ = without.Deliver(t.Context(), d)
			}
			with := box.all()
			for i, n := range without.all() {
				equal(t, "end", show(n), show(with[i]))
			}
			equal(t, "ends", len(without.all()), len(with))
		})
	}
}

func requestOf(kind operation.Kind) operation.Request {
	switch kind {
	case operation.KindPlayPrompt:
		return &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "https://x.example/a.wav"}}}
	case operation.KindRecordResponse:
		return &operation.RecordResponse{}
	case operation.KindSendTones:
		return &operation.SendTones{Tones: []tone.Tone{tone.Tone1}}
	default:
		return &speak{Text: "x"}
	}
}

// At every instant an operation is live, in a post, or delivered: whenever what is owed is looked at,
// what was delivered before and what is delivered then has each end once.
func TestNoEndIsOwedTwiceOrNever(t *testing.T) {
	t.Parallel()
	box, k := new(inbox), newKeeper(t)
	p := newPlatform(t, box.Deliver, graph.WithLedger(k.ledger), graph.WithMaxBytes(0, 0))
	bot, call := p.direct(), p.attach("bot", "x")
	done := make(chan struct{})
	k.ledger.Waive(true)
	go func() {
		defer close(done)
		for range 300 {
			bot.post(call, "playPrompt", playBody)
			bot.post(call, "playPrompt", playBody)
			bot.post(call, "cancelMediaProcessing", `{}`)
		}
	}()
	for n := 0; ; n++ {
		o := call.Owes()
		inLine := map[string]int{}
		for _, d := range o.Deliveries() {
			var b inbox
			if err := b.Deliver(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			for id, times := range ends(b.all()) {
				inLine[id] += times
			}
		}
		for id, times := range inLine {
			if times > 1 {
				t.Fatalf("look %d: the end of %s is owed %d times", n, id, times)
			}
		}
		select {
		case <-done:
			_ = call.Detach(graph.ResultInfo{})
			<-call.Done()
			o := call.Owes()
			equal(t, "over", o.Over, true)
			equal(t, "ends", len(ends(box.all())), 600)
			return
		default:
		}
	}
}

// A keeper that keeps nothing delays nothing for longer than the patience; when it says that it
// can't keep, nothing waits.
func TestALedgerThatIsNotKeptDelaysByItsPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, k := new(inbox), newKeeper(t)
		p := newPlatform(t, box.Deliver, graph.WithLedger(k.ledger))
		bot, call := p.direct(), p.attach("bot", "x")
		took := func(what string, want time.Duration, f func()) {
			t.Helper()
			start := time.Now()
			f()
			equal(t, what, time.Since(start), want)
		}
		took("a play", 250*time.Millisecond, func() { bot.post(call, "playPrompt", playBody).must(t, 200) })
		equal(t, "notifications", lines(box.wait(t, 1)), []string{"updated call established"})
		took("a cancel", 0, func() { bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200) })
		took("its notification", 250*time.Millisecond, func() { box.wait(t, 2) })
		k.ledger.Waive(true)
		took("a play without waiting", 0, func() { bot.post(call, "playPrompt", playBody).must(t, 200) })
		equal(t, "late", k.ledger.Stats(), graph.LedgerStats{Changed: 1, Operations: 2, Deliveries: 2})
	})
}

// A delivery that is not kept waits until somebody says that others know of it.
func TestWhatIsNotKeptElsewhereIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, k := new(inbox), newKeeper(t)
		var through atomic.Bool
		k.ledger.ConfirmBy(func(sent time.Time) bool { return !sent.IsZero() && through.Load() })
		p := newPlatform(t, box.Deliver, graph.WithLedger(k.ledger))
		call := p.attach("bot", "x")
		for _, waived := range []bool{false, true} {
			box.forget()
			k.ledger.Waive(waived)
			through.Store(false)
			_ = call.SetState(graph.State{Call: map[bool]graph.CallState{true: graph.Hold, false: graph.Transferring}[waived]})
			time.Sleep(time.Minute)
			equal(t, "nobody was told", len(box.all()), 0)
			through.Store(true)
			time.Sleep(time.Second)
			equal(t, "it has not gone out", len(box.all()), 0)
			call.Sent(call.Owes().Revision)
			time.Sleep(100 * time.Millisecond)
			if len(box.all()) == 0 {
				t.Error("not told, though others know")
			}
			time.Sleep(time.Second)
			call.Sent(call.Owes().Revision) // of what was in line behind it
			time.Sleep(time.Second)
		}
		through.Store(false)
		_ = call.SetState(graph.State{Call: graph.Established})
		box.forget()
		time.Sleep(time.Minute)
		call.Kept(call.Owes().Revision)
		synctest.Wait()
		equal(t, "told when it is kept", len(box.all()), 1)
		through.Store(true)
		k.ledger.Waive(true)
		call.Sent(1 << 60)
	})
}

// What a bot does not take is kept up to a bound: what is beyond it, as operations that live.
func TestWhatIsOwedIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		k := newKeeper(t)
		p := newPlatform(t, func(context.Context, webhook.Delivery) error { <-gate; return nil }, graph.WithLedger(k.ledger))
		k.ledger.Waive(true)
		bot, call := p.direct(), p.attach("bot", "x")
		synctest.Wait()
		const n = 500
		for range n {
			bot.post(call, "playPrompt", playBody).must(t, 200)
		}
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		synctest.Wait()
		o := call.Owes()
		size, posted := 0, 0
		for _, post := range o.Posts {
			size += len(post.Body)
			posted += post.Notifications
		}
		if size > graph.MaxOwed+4<<10 || posted < 50 || len(o.Operations)+posted != n+1 {
			t.Errorf("%d bytes of posts, with %d notifications, and %d operations", size, posted, len(o.Operations))
		}
		close(gate)
	})
}

// A change that nothing waits for is none to be taken at once.
func TestWhatIsNotAwaitedIsTakenLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		k := newKeeper(t)
		p := newPlatform(t, func(context.Context, webhook.Delivery) error { <-gate; return nil }, graph.WithLedger(k.ledger))
		k.ledger.Waive(true)
		bot, call := p.direct(), p.attach("bot", "x")
		synctest.Wait()
		bot.post(call, "playPrompt", playBody).must(t, 200)
		equal(t, "an operation", len(k.ledger.TakeAwaited(10)), 1)
		equal(t, "taken", len(k.ledger.Take(10)), 0)
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		synctest.Wait()
		equal(t, "its end, in line", len(k.ledger.TakeAwaited(10)), 0)
		equal(t, "changed", k.ledger.Stats().Changed, 1)
		bot.post(call, "playPrompt", playBody).must(t, 200)
		equal(t, "another operation", len(k.ledger.TakeAwaited(10)), 1)
		equal(t, "all of it was taken", len(k.ledger.Take(10)), 0)
		close(gate)
		synctest.Wait()
		equal(t, "at last", len(k.ledger.Take(10)), 1)
	})
}

func TestALedgersPatienceIsChecked(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{-1, 25 * time.Hour} {
		if _, err := graph.NewLedger(d); err == nil || !strings.Contains(err.Error(), "patience") {
			t.Errorf("%v: got %v", d, err)
		}
	}
}

// Without a ledger nothing is known of what lives, and Kept does nothing.
func TestWithoutALedgerNothingIsOwed(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver)
	call := p.attach("bot", "x")
	call.Kept(1)
	o := call.Owes()
	equal(t, "owed", len(o.Operations)+len(o.Posts), 0)
}

// Notifications wait for an answer that is brought to the client by another process.
func TestNoNotificationComesBeforeAnAnswerElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		call := p.attach("bot", "")
		synctest.Wait()
		for _, answered := range []bool{true, false} {
			box.forget()
			var release func()
			ctx := graph.AnsweredElsewhere(t.Context(), func(f func()) { release = f })
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://media.example/v1.0/communications/calls/"+call.ID().String()+"/playPrompt", strings.NewReader(playBody))
			r.Header.Set("Authorization", "Bearer bot")
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			p.handler.ServeHTTP(w, r)
			equal(t, "status", w.Code, 200)
			call.Queue().CancelAll()
			synctest.Wait()
			equal(t, "told before", lines(box.all()), []string(nil))
			start := time.Now()
			if answered {
				time.AfterFunc(500*time.Millisecond, release)
			}
			box.wait(t, 1)
			if want := map[bool]time.Duration{true: 500 * time.Millisecond, false: time.Second}[answered]; time.Since(start) != want {
				t.Errorf("told after %v, want %v", time.Since(start), want)
			}
			release() // again, which does nothing
		}
		if ctx := t.Context(); graph.AnsweredElsewhere(ctx, nil) != ctx {
			t.Error("a nil function changes the context")
		}
	})
}

// A stored batch goes out as it is; what fails is reported.
func TestAStoredBatchIsDeliveredAsItIs(t *testing.T) {
	t.Parallel()
	var failures []graph.DeliveryFailure
	does := func(webhook.Delivery) error { return nil }
	p := newPlatform(t, func(_ context.Context, d webhook.Delivery) error { return does(d) },
		graph.WithFailureHandler(func(f graph.DeliveryFailure) { failures = append(failures, f) }))
	d := webhook.Delivery{ID: uuid.New(), CallID: uuid.New(), Application: "a", Body: []byte("as it is"), Notifications: 3}
	var got webhook.Delivery
	does = func(d webhook.Delivery) error { //nolint:unparam // others fail
		got = d
		return nil
	}
	if err := p.handler.Deliver(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	equal(t, "body", string(got.Body), "as it is")
	equal(t, "id", got.ID, d.ID)
	for what, f := range map[string]func(webhook.Delivery) error{
		"away":     func(webhook.Delivery) error { return errors.New("away") },
		"panicked": func(webhook.Delivery) error { panic("x") },
		"exited":   func(webhook.Delivery) error { runtime.Goexit(); return nil },
	} {
		does = f
		if err := p.handler.Deliver(t.Context(), d); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	equal(t, "failures", len(failures), 3)
	stats := p.handler.Stats()
	equal(t, "delivered", stats.Delivered, 3)
	equal(t, "given up", stats.GivenUp, 9)
	if err := p.handler.Deliver(nil, d); err == nil { //nolint:staticcheck // what is attacked
		t.Error("a nil context is taken")
	}
}

// The ids of calls come from where the platform says.
func TestIDsOfCallsCanBeGiven(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	p := newPlatform(t, new(inbox).Deliver, graph.WithCallIDs(func() uuid.UUID { return id }))
	equal(t, "id", p.attach("bot", "").ID(), id)
}
