package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/internal/goroutines"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// slowClient is a client that does not read its answer until it is let.
type slowClient struct {
	*httptest.ResponseRecorder

	reads chan struct{}
}

func (c *slowClient) Write(p []byte) (int, error) {
	<-c.reads
	return c.ResponseRecorder.Write(p)
}

// slowly sends a request whose answer is read when the returned function is called.
func slowly(p *platform, path, body string) (read func()) {
	r := httptest.NewRequestWithContext(p.tb.Context(), http.MethodPost, "http://media.example/v1.0/communications/calls"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer bot")
	r.Header.Set("Content-Type", "application/json")
	c := &slowClient{httptest.NewRecorder(), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.handler.ServeHTTP(c, r)
	}()
	synctest.Wait()
	return func() {
		close(c.reads)
		<-done
		synctest.Wait()
	}
}

// No notification overtakes the answer to the request that caused it, whichever that is; and none
// waits for the answer to a later request.
func TestNoNotificationComesBeforeTheAnswerIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		told := func(want ...string) {
			t.Helper()
			synctest.Wait()
			equal(t, "notifications", lines(box.all()), want)
		}
		read := slowly(p, "", `{"callbackUri":"x"}`)
		call := p.last()
		_ = call.SetState(graph.State{Call: graph.Hold})
		told()
		read()
		told("updated call established", "updated call hold")
		other := p.attach("bot", "")
		synctest.Wait()
		box.forget()

		id := "/" + call.ID().String()
		readPlay := slowly(p, id+"/playPrompt", `{"clientContext":"one",`+playBody[len(`{"clientContext":"p",`):])
		call.Queue().CancelAll()
		told()
		_ = other.SetState(graph.State{Call: graph.Hold})
		told("updated call hold") // another call does not wait
		readCancel := slowly(p, id+"/cancelMediaProcessing", `{}`)
		_ = call.SetState(graph.State{Call: graph.Established})
		told("updated call hold")
		readPlay()
		told("updated call hold", "deleted playPromptOperation failed one 400/8508") // nor for a later request
		readCancel()
		told("updated call hold", "deleted playPromptOperation failed one 400/8508", "updated call established")

		synctest.Wait()
		box.forget()
		readTones := slowly(p, id+"/subscribeToTone", `{}`)
		_, _ = call.tones.Publish(tone.Tone5)
		told()
		readTones()
		told("updated call established tone5 1")
	})
}

// One delivery of a call is under way at a time, and takes along what has gathered meanwhile.
func TestWhatGathersIsSentInBatchesOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			box   inbox
			under atomic.Int32
			sizes []int
		)
		gate := make(chan struct{})
		p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
			if under.Add(1) > 1 {
				t.Error("two deliveries of one call at once")
			}
			defer under.Add(-1)
			<-gate
			sizes = append(sizes, d.Notifications)
			return box.Deliver(ctx, d)
		})
		bot, call := p.direct(), p.attach("bot", "")
		synctest.Wait() // the first delivery is at the gate, and the rest gathers behind it
		var ids []any
		for range 250 {
			ids = append(ids, bot.post(call, "playPrompt", playBody).must(t, 200).text("id"))
		}
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		synctest.Wait()
		close(gate)
		synctest.Wait()
		equal(t, "batches", sizes, []int{1, graph.Batch, graph.Batch, 250 - 2*graph.Batch})
		var got []any
		for _, n := range box.all()[1:] {
			got = append(got, at(n, "resourceData", "id"))
		}
		equal(t, "in order", got, ids)
	})
}

// A bot that does not take its notifications is slowed down itself: nothing is lost, memory is
// bounded, and a cancel is never refused.
func TestABotThatDoesNotListenIsSlowedDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var box inbox
		gate := make(chan struct{})
		p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
			<-gate
			return box.Deliver(ctx, d)
		}, graph.WithOutbox(4))
		const pending = 8
		bot, call := p.direct(), p.attach("bot", "", queue.WithMaxPending(pending))
		synctest.Wait() // a batch of one is under way
		accepted, refused := 0, 0
		for range 100 {
			for range pending {
				switch r := bot.post(call, "playPrompt", playBody); r.status {
				case http.StatusOK:
					accepted++
				case http.StatusTooManyRequests:
					refused++
				default:
					t.Fatalf("got %d: %s", r.status, show(r.body))
				}
			}
			bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
			synctest.Wait()
		}
		// The batch under way, 4 in the outbox, one at its door, what the queue keeps, and what
		// it had accepted when it was there.
		if most := 1 + 4 + 1 + 4*pending + pending; accepted > most || refused == 0 {
			t.Errorf("accepted %d, want at most %d; refused %d", accepted, most, refused)
		}
		close(gate)
		synctest.Wait()
		equal(t, "notifications", len(ends(box.all())), accepted)
		bot.post(call, "playPrompt", playBody).must(t, 200)
	})
}

// Whatever the platform's Deliver does, what it had is counted and reported as lost, and the rest comes.
func TestADeliveryThatFailsIsCountedAndReportedAndTheRestComes(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func() error{
		"an error": func() error { return errors.New("x") },
		"a panic":  func() error { panic("x") },
		"an exit":  func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var (
					box  inbox
					lost []graph.DeliveryFailure
				)
				attempts := 0
				var failing []bool
				p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
					failing = append(failing, d.Failing)
					if attempts++; attempts == 2 {
						return fault()
					}
					return box.Deliver(ctx, d)
				}, graph.WithFailureHandler(func(l graph.DeliveryFailure) { lost = append(lost, l); panic("and the hook too") }))
				call := p.attach("bot", "")
				for _, s := range []graph.CallState{graph.Hold, graph.Established, graph.Transferring} {
					synctest.Wait()
					_ = call.SetState(graph.State{Call: s})
				}
				_ = call.Detach(graph.ResultInfo{})
				synctest.Wait()
				equal(t, "notifications", lines(box.all()), []string{
					"updated call established", "updated call established",
					"updated call transferring", "deleted call terminated 200/5001",
				})
				if len(lost) != 1 || lost[0].CallID != call.ID() || lost[0].Notifications != 1 || lost[0].Err == nil || lost[0].Application != tokens["bot"].ID {
					t.Errorf("lost: %+v", lost)
				}
				equal(t, "after a failure", failing[:4], []bool{false, false, true, false})
				equal(t, "stats", p.handler.Stats(), graph.Stats{Delivered: 4, GivenUp: 1})
			})
		})
	}
}

// Shutdown waits until everything is delivered, the end of detached calls included, and refuses what is
// new; when its time is over it gives up the rest.
func TestShutdownFlushesOrGivesUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patience time.Duration
		started  bool // the record, whose media then holds up the end of the call
	}{{time.Hour, false}, {time.Hour, true}, {time.Second, false}, {time.Second, true}} {
		patience := c.patience
		t.Run(fmt.Sprint(patience, " started ", c.started), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var box inbox
				p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
					select {
					case <-time.After(time.Minute):
						return box.Deliver(ctx, d)
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				})
				call, idle := p.attach("bot", ""), p.attach("bot", "")
				time.Sleep(2 * time.Minute)
				bot := p.direct()
				call.media.OnStop = func(queue.Task) {} // the end of the call waits for it
				bot.post(call, "recordResponse", recordBody).must(t, 200)
				bot.post(call, "playPrompt", playBody).must(t, 200)
				if c.started {
					synctest.Wait()
				}
				_ = call.Detach(graph.ResultInfo{})
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				err := p.handler.Shutdown(ctx)
				if patience == time.Hour {
					equal(t, "notifications", lines(box.all())[2:], []string{
						"deleted recordOperation failed r 400/8528",
						"deleted playPromptOperation failed p 400/8528", "deleted call terminated 200/5001",
					})
					equal(t, "error", err, nil)
				} else {
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
					time.Sleep(time.Minute)
					equal(t, "given up", p.handler.Stats().GivenUp, 3)
				}
				if got := bot.post(idle, "keepAlive", nil); got.status != 503 || got.header.Get("Retry-After") == "" {
					t.Errorf("a request: got %d", got.status)
				}
				if _, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{Application: "a"}); !errors.Is(err, graph.ErrShutDown) {
					t.Errorf("Attach: got %v", err)
				}
			})
		})
	}
}

// Calls without notifications in line hold no goroutine, and end without a trace.
func TestIdleCallsHoldNoGoroutine(t *testing.T) { //nolint:paralleltest // counts goroutines
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot := p.direct()
	calls := make([]*phone, 200)
	before := goroutines.Count()
	for i := range calls {
		calls[i] = p.attach("bot", "")
		bot.post(calls[i], "subscribeToTone", `{}`).must(t, 200)
		bot.post(calls[i], "playPrompt", playBody).must(t, 200)
		_, _ = calls[i].tones.Publish(tone.Tone1)
		calls[i].waitStarted(t).End(succeeded())
	}
	box.wait(t, 3*len(calls))
	for deadline := time.Now().Add(time.Minute); ; runtime.Gosched() {
		if n := goroutines.Count() - before; n < 10 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d goroutines for %d calls with nothing to tell", n, len(calls))
		}
	}
	var all sync.WaitGroup
	for _, c := range calls {
		all.Go(func() { _ = c.Detach(graph.ResultInfo{}) })
	}
	all.Wait()
	box.wait(t, 4*len(calls))
	if err := p.handler.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	equal(t, "stats", p.handler.Stats(), graph.Stats{Delivered: uint64(4 * len(calls))})
}

// A call's end is delivered after everything else, also what still waits for room in its outbox.
func TestTonesAreNotifiedBeforeTheEndHoweverFarBehindTheyAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var box inbox
		gate := make(chan struct{})
		p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
			<-gate
			return box.Deliver(ctx, d)
		}, graph.WithOutbox(1))
		bot, call := p.direct(), p.attach("bot", "")
		bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		for range 4 {
			_, _ = call.tones.Publish(tone.Tone1)
		}
		synctest.Wait()
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		close(gate)
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{
			"updated call established", "updated call established tone1 1", "updated call established tone1 2",
			"updated call established tone1 3", "updated call established tone1 4", "deleted call terminated 200/5001",
		})
	})
}

// A shutdown that gives up lets go of the queues and tone streams that wait for room, even if the
// platform's Deliver never returns.
func TestAShutdownThatGivesUpFreesWhoWaitsForRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		p := newPlatform(t, func(context.Context, webhook.Delivery) error { <-gate; return nil }, graph.WithOutbox(1))
		bot, call := p.direct(), p.attach("bot", "")
		bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		for range 4 {
			bot.post(call, "playPrompt", playBody).must(t, 200)
			_, _ = call.tones.Publish(tone.Tone1)
		}
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		if isDone(call.Queue().Done()) {
			t.Fatal("the queue told everything, although nobody listens")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.handler.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if !isDone(call.Queue().Done()) {
			t.Error("the queue still waits for room")
		}
		close(gate)
	})
}

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// A call without notifications keeps no buffer, and one that has ended keeps nothing.
func TestWhatIsOverIsReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		for range 200 {
			bot.post(call, "playPrompt", playBody).must(t, 200)
		}
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		synctest.Wait()
		equal(t, "room kept in the outbox of an idle call", call.OutboxRoom(), 0)
		if p.handler.Kept() == 0 {
			t.Error("no operation is kept")
		}
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		equal(t, "operations kept of a call that has ended", p.handler.Kept(), 0)
		equal(t, "calls observed", p.handler.Observed(), 0)
	})
}

// Each batch has an id of its own, for whoever delivers it.
func TestADeliveryHasAnID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ids []uuid.UUID
		p := newPlatform(t, func(_ context.Context, d webhook.Delivery) error {
			ids = append(ids, d.ID)
			return nil
		})
		call := p.attach("bot", "")
		synctest.Wait()
		_ = call.SetState(graph.State{Call: graph.Hold})
		synctest.Wait()
		if len(ids) != 2 || ids[0] == uuid.Nil || ids[0] == ids[1] {
			t.Errorf("got %v", ids)
		}
	})
}

// Calls whose notifications are given up leave nothing behind, however many there are.
func TestCallsThatAreGivenUpLeaveNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 200
		p := newPlatform(t, func(context.Context, webhook.Delivery) error {
			time.Sleep(time.Minute)
			return errors.New("given up")
		})
		for range calls {
			_ = p.attach("bot", "").Detach(graph.ResultInfo{})
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := p.handler.Stats(); s.Pending != 0 || s.Delivered != 0 || s.GivenUp != 2*calls {
			t.Errorf("got %+v", s)
		}
		equal(t, "applications with something kept", p.handler.Busy(), 0)
		equal(t, "calls observed", p.handler.Observed(), 0)
	})
}
