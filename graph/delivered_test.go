package graph_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/queue/queuetest"
	"ivrqueue/webhook"
)

// open reports whether a channel is not closed.
func open(c <-chan struct{}) bool {
	select {
	case <-c:
		return false
	default:
		return true
	}
}

// withValue puts a call with a value on the wire.
func (p *platform) withValue(v any) *phone {
	p.tb.Helper()
	c, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{
		Application: tokens["bot"].ID, State: graph.State{Call: graph.Established}, Value: v,
	})
	if err != nil {
		p.tb.Fatal(err)
	}
	return c
}

// A call is found by its id on the wire, from Attach until Detach.
func TestACallIsFoundByItsID(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver)
	call := p.attach("other", "")
	if got, ok := p.handler.Call(call.ID()); !ok || got != call.Call {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, id := range []uuid.UUID{uuid.Nil, uuid.Max} {
		if got, ok := p.handler.Call(id); ok || got != nil {
			t.Errorf("%v: got %v", id, got)
		}
	}
	if err := call.Detach(graph.ResultInfo{}); err != nil {
		t.Fatal(err)
	}
	if got, ok := p.handler.Call(call.ID()); ok || got != nil {
		t.Errorf("after Detach: got %v", got)
	}
}

// The platform's datum comes back with each delivery and each failure, whatever it is.
func TestTheValueComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen, failed := make(chan any, 9), make(chan any, 9)
		p := newPlatform(t, func(_ context.Context, d webhook.Delivery) error {
			seen <- d.Value
			if d.Value == "fails" {
				return errors.New("no")
			}
			return nil
		}, graph.WithFailureHandler(func(f graph.DeliveryFailure) { failed <- f.Value }))
		defer p.stop()
		odd := &struct{ f func() }{func() {}}
		for _, v := range []any{nil, odd, "fails"} {
			if call := p.withValue(v); call.Value() != v {
				t.Errorf("got %v, want %v", call.Value(), v)
			}
			synctest.Wait()
			if got := <-seen; got != v {
				t.Errorf("delivered with %v, want %v", got, v)
			}
		}
		if got := <-failed; got != "fails" || len(failed) > 0 {
			t.Errorf("failed with %v", got)
		}
	})
}

// Done is closed when the last notification has arrived, not before, and the counts say so.
func TestDoneIsClosedWhenAllHasArrived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		arrives := make(chan error)
		p := newPlatform(t, func(context.Context, webhook.Delivery) error { return <-arrives })
		defer p.stop()
		bot, call := p.direct(), p.attach("bot", "")
		expect := func(what string, done bool, want graph.CallStats) {
			t.Helper()
			synctest.Wait()
			if got := call.Stats(); got != want || open(call.Done()) == done {
				t.Errorf("%s: got %+v, done %v", what, got, !open(call.Done()))
			}
		}
		expect("established", false, graph.CallStats{Pending: 1})
		arrives <- nil
		expect("established has arrived", false, graph.CallStats{Delivered: 1})
		bot.post(call, "playPrompt", playBody).must(t, 200)
		if err := call.Detach(graph.ResultInfo{}); err != nil {
			t.Fatal(err)
		}
		expect("detached", false, graph.CallStats{Pending: 2, Delivered: 1})
		arrives <- errors.New("no")
		// The end of the play is sent alone or with terminated: whichever it was, it was given up.
		synctest.Wait()
		for open(call.Done()) {
			arrives <- nil
			synctest.Wait()
		}
		if got := call.Stats(); got.Pending != 0 || got.Delivered+got.GivenUp != 3 || got.GivenUp == 0 {
			t.Errorf("done: got %+v", got)
		}
	})
}

// What Deliver does wrong fails, and the call is done all the same.
func TestDoneIsClosedWhateverDeliverDoes(t *testing.T) {
	t.Parallel()
	for name, deliver := range map[string]func(){
		"panics": func() { panic("x") }, "exits": runtime.Goexit, "takes an hour": func() { time.Sleep(time.Hour) },
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlatform(t, func(context.Context, webhook.Delivery) error { deliver(); return errors.New("no") })
			defer p.stop()
			call := p.attach("bot", "")
			if err := call.Detach(graph.ResultInfo{}); err != nil {
				t.Fatal(err)
			}
			<-call.Done()
			if got := call.Stats(); got != (graph.CallStats{GivenUp: 2}) {
				t.Errorf("%s: got %+v", name, got)
			}
		})
	}
}

// slowHandler is how a failure handler behaves: whether it blocks when it gets what was being sent,
// and of what was dropped, and how it ends.
type slowHandler struct {
	sent, dropped bool
	ending        func()
}

// A Shutdown that gives up is done with a call only when the platform has got what it dropped,
// whatever comes meanwhile, and however the handler behaves.
func TestDoneComesAfterTheFailuresWereReported(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]slowHandler{
		"both are slow":               {true, true, func() {}},
		"what was sent is slow":       {true, false, func() {}},
		"what was dropped is slow":    {false, true, func() {}},
		"a panic":                     {true, true, func() { panic("x") }},
		"an exit":                     {true, true, runtime.Goexit},
		"an exit of what was sent":    {false, true, runtime.Goexit},
		"an exit of what was dropped": {true, false, runtime.Goexit},
	} {
		for _, early := range []bool{false, true} { // whether the call ends before the Shutdown
			synctest.Test(t, func(t *testing.T) { testDoneAfterFailures(t, test, early, name) })
		}
	}
}

func testDoneAfterFailures(t *testing.T, test slowHandler, early bool, name string) {
	t.Helper()
	goOn := make(chan struct{})
	var failed atomic.Int64
	p := newPlatform(t, func(ctx context.Context, _ webhook.Delivery) error {
		<-ctx.Done()
		return ctx.Err()
	}, graph.WithFailureHandler(func(f graph.DeliveryFailure) {
		failed.Add(int64(f.Notifications))
		if f.Notifications == 1 && test.sent || f.Notifications > 1 && test.dropped {
			<-goOn
		}
		test.ending()
	}))
	defer p.stop()
	bot, call := p.direct(), p.attach("bot", "")
	synctest.Wait() // established is being delivered
	for range 3 {
		bot.post(call, "playPrompt", playBody).must(t, 200)
	}
	bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
	synctest.Wait() // three ends wait
	const want = 5  // established, the three ends, and terminated: also when that comes after the Shutdown
	detach := func() {
		if err := call.Detach(graph.ResultInfo{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	if early {
		detach()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	go func() { _ = p.handler.Shutdown(ctx) }()
	synctest.Wait()
	if !early {
		detach()
	}
	if !open(call.Done()) || failed.Load() != want {
		t.Errorf("%s, %v: done while the platform gets it, of %d", name, early, failed.Load())
	}
	close(goOn)
	<-call.Done()
	synctest.Wait()
	if got := call.Stats(); got != (graph.CallStats{GivenUp: want}) {
		t.Errorf("%s, %v: got %+v", name, early, got)
	}
}
