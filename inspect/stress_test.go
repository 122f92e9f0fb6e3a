package inspect_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/inspect"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// Many calls at once, in real time, with all that can happen to them, while pages look at them: in
// the end a page that was there all the time knows the same as one that comes then.
func TestPagesAgreeInTheEnd(t *testing.T) {
	t.Parallel()
	h := newHandler(t, inspect.WithRetention(30, time.Hour), inspect.WithMaxOperations(8))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var watching sync.WaitGroup
	for n := range 8 {
		watching.Go(func() {
			for ctx.Err() == nil {
				query := ""
				if n > 3 {
					query = fmt.Sprint("?call=", n)
				}
				get(t, h, "GET", "/debug/calls/events"+query, withTimeout(ctx, 20*time.Millisecond))
			}
		})
	}
	instant := queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
		return operation.Result{}, nil
	})
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 20 {
				id := uuid.New()
				q, err := queue.New(id.String(), instant, queue.WithObserver(h))
				if err != nil {
					t.Error(err)
					return
				}
				s := new(tone.Stream)
				c, err := h.Attach(inspect.Attachment{Queue: q, Tones: s})
				if err != nil {
					t.Error(err)
					return
				}
				var producers sync.WaitGroup
				for range 3 {
					producers.Go(func() {
						for n := range 10 {
							_, _ = q.Enqueue(ctx, play("a.wav"))
							_, _ = s.Publish(tone.Tone1)
							c.Note("note")
							_ = c.SetLabel("n", strconv.Itoa(n))
							h.Attempt(webhook.Attempt{CallID: id, DeliveryID: id, Number: n, Status: 200, Last: true})
							if n%4 == 0 {
								q.CancelAll()
							}
						}
					})
				}
				producers.Wait()
				q.Close(nil)
				s.End()
				<-q.Done()
			}
		})
	}
	calls.Wait()
	cancel()
	watching.Wait()
	equal(t, "calls that are kept", h.Size(), 30)
}

// A list that got every change agrees with one that gets everything at once.
func TestAListThatWasToldOfChangesIsRight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, inspect.WithRetention(20, time.Minute))
		c := watch(t, h, "")
		var s state
		var all sync.WaitGroup
		for i := range 1200 {
			all.Go(func() {
				time.Sleep(time.Duration(i%70) * 37 * time.Millisecond)
				p := ring(t, h, strconv.Itoa(i))
				for range i % 3 {
					p.enqueue(play("a.wav"))
				}
				time.Sleep(time.Duration(i%50) * 53 * time.Millisecond)
				if i%5 != 0 {
					p.hangUp()
					return
				}
				time.Sleep(10 * time.Second)
				p.hangUp()
			})
		}
		for range 40 {
			time.Sleep(217 * time.Millisecond)
			s.know(c.events(t))
		}
		check := func(what string) {
			t.Helper()
			time.Sleep(time.Second)
			s.know(c.events(t))
			now := look(t, h, "")
			equal(t, what+": calls", len(s.calls), len(now.calls))
			for n, want := range now.calls {
				equal(t, what+": a call", fmt.Sprint(s.calls[n]), fmt.Sprint(want))
			}
		}
		check("in between")
		all.Wait()
		check("in the end")
	})
}
