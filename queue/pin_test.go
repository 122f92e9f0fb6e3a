package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

const (
	pinFrame  = 20 * time.Millisecond
	pinLength = 3 * time.Second // of each prompt
)

// pinCall is the call in which the dialog of the example runs, in a bubble.
type pinCall struct {
	began  time.Time // of the dialog
	queue  *queue.Queue
	tones  tone.Stream
	cancel context.CancelCauseFunc // of the dialog

	prompts []string                 // which have started, and when
	heard   map[string]time.Duration // how much of each was heard
	judged  []string                 // the PINs that were compared
}

// Observe notes which prompts start.
func (c *pinCall) Observe(e queue.Event) {
	if e.Kind == queue.Started {
		c.prompts = append(c.prompts, c.name(e.Operation))
	}
}

// name is that of a prompt, with the time of its start, to the millisecond.
func (c *pinCall) name(op *operation.Operation) string {
	uri := op.Request().(*operation.PlayPrompt).Prompts[0].URI
	name, _, _ := strings.Cut(strings.TrimPrefix(uri, "file:"), "-")
	return name + " " + op.Times().Started.Sub(c.began).Truncate(time.Millisecond).String()
}

// play is the media: it sends a frame each 20 ms.
func (c *pinCall) play(ctx context.Context, op queue.Active) (operation.Result, error) {
	pace := time.NewTicker(pinFrame)
	defer pace.Stop()
	for range pinLength / pinFrame {
		if !op.Live() {
			return operation.Result{}, op.Err()
		}
		c.heard[c.name(op.Operation)] += pinFrame
		select {
		case <-pace.C:
		case <-ctx.Done():
			return operation.Result{}, context.Cause(ctx)
		}
	}
	return operation.Result{}, nil
}

// press has the caller press keys, one each half second.
func (c *pinCall) press(keys string) {
	for i, char := range keys {
		if i > 0 {
			time.Sleep(500 * time.Millisecond)
		}
		c.pressAtOnce(string(char))
	}
}

// pressAtOnce is press without the time between.
func (c *pinCall) pressAtOnce(keys string) {
	for _, char := range keys {
		key, err := tone.FromChar(char)
		if err != nil {
			panic(err)
		}
		_, _ = c.tones.Publish(key) // the call may have ended
	}
}

// The dialog of the example, to the millisecond: each prompt lasts 3 s, and the PIN is 2468.
func TestThePINMenu(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	type step struct {
		at time.Duration
		do func(c *pinCall)
	}
	press := func(at time.Duration, keys string) step {
		return step{at, func(c *pinCall) { c.press(keys) }}
	}
	cancelDialog := func(c *pinCall) { c.cancel(operation.Cancelled) }
	cancelAll := func(c *pinCall) { c.queue.CancelAll() }
	cancelBoth := func(c *pinCall) { cancelDialog(c); cancelAll(c) }
	closeQueue := func(c *pinCall) { c.queue.Close(operation.CallEnded) }
	endTones := func(c *pinCall) { c.tones.End() }
	hangUp := func(c *pinCall) { closeQueue(c); endTones(c) }
	hangUpTonesFirst := func(c *pinCall) { endTones(c); closeQueue(c) }
	interrupt := func(c *pinCall) {
		if _, _, err := c.queue.Interrupt(context.Background(), play()); err != nil {
			panic(err)
		}
	}
	for name, test := range map[string]struct {
		before  string // what is typed before the dialog begins
		steps   []step
		want    error
		end     time.Duration
		prompts string        // and when they start
		heard   time.Duration // how much of the first one, or up to a frame more
		judged  string
	}{
		"nothing is pressed": {
			want: errNoPIN, end: 24000 * ms, prompts: "enter 0s, not 8s, not 16s", heard: pinLength,
		},
		"in the prompt": {
			steps: []step{press(1010*ms, "2468#")}, end: 3010 * ms, prompts: "enter 0s", heard: 1010 * ms,
			judged: "2468",
		},
		"in the prompt, with a frame": {
			steps: []step{press(1000*ms, "2468#")}, end: 3000 * ms, prompts: "enter 0s", heard: 1000 * ms,
			judged: "2468",
		},
		"after the prompt": {
			steps: []step{press(4000*ms, "2468#")}, end: 6000 * ms, prompts: "enter 0s", heard: pinLength,
			judged: "2468",
		},
		"a millisecond before the timeout": {
			steps: []step{press(7999*ms, "2468#")}, end: 9999 * ms, prompts: "enter 0s", heard: pinLength,
			judged: "2468",
		},
		"a millisecond after it": {
			steps: []step{press(8001*ms, "2468#")}, end: 10001 * ms, prompts: "enter 0s, not 8s",
			heard: pinLength, judged: "2468",
		},
		"without #": {
			steps: []step{press(1010*ms, "2468")}, end: 4510 * ms, prompts: "enter 0s", heard: 1010 * ms,
			judged: "2468",
		},
		"# early": {
			steps: []step{press(1010*ms, "24#"), press(3000*ms, "2468#")}, end: 5000 * ms,
			prompts: "enter 0s, not 2.01s", heard: 1010 * ms, judged: "2468",
		},
		"half of it, and no more": {
			steps: []step{press(1010*ms, "24"), press(5000*ms, "2468#")}, end: 7000 * ms,
			prompts: "enter 0s, not 4.51s", heard: 1010 * ms, judged: "2468",
		},
		"wrong, then right": {
			steps: []step{press(1010*ms, "1234#"), press(4000*ms, "2468#")}, end: 6000 * ms,
			prompts: "enter 0s, not 3.01s", heard: 1010 * ms, judged: "1234 2468",
		},
		"a digit too many, which is not of the next": {
			steps: []step{press(1010*ms, "12345"), press(4000*ms, "2468#")}, end: 6000 * ms,
			prompts: "enter 0s, not 3.01s", heard: 1010 * ms, judged: "1234 2468",
		},
		"wrong three times": {
			steps: []step{press(1010*ms, "1234#"), press(4000*ms, "4321#"), press(7000*ms, "1111#")},
			want:  errNoPIN, end: 9000 * ms, prompts: "enter 0s, not 3.01s, not 6s", heard: 1010 * ms,
			judged: "1234 4321 1111",
		},
		"typed ahead": {
			before: "2468#", end: 0, prompts: "enter 0s", heard: 0, judged: "2468",
		},
		"half of it typed ahead": {
			before: "24", steps: []step{press(1010*ms, "68#")}, end: 2010 * ms, prompts: "enter 0s",
			heard: 1010 * ms, judged: "2468",
		},
		"two typed ahead, of which one counts": {
			before: "1234#2468#", steps: []step{press(1010*ms, "2468#")}, end: 3010 * ms,
			prompts: "enter 0s, not 0s", judged: "1234 2468",
		},
		"tones are lost": { // of 300, and what is left begins with the PIN
			before: strings.Repeat("1", 44) + "2468#" + strings.Repeat("1", 251),
			steps:  []step{press(1010*ms, "2468#")}, end: 3010 * ms, prompts: "enter 0s, not 0s",
			judged: "2468",
		},
		"hang-up in the prompt": {
			steps: []step{{1010 * ms, hangUp}},
			want:  operation.CallEnded, end: 1010 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"hang-up in the prompt, the tones end first": {
			steps: []step{{1010 * ms, hangUpTonesFirst}},
			want:  operation.CallEnded, end: 1010 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"hang-up while it collects": {
			steps: []step{press(1010*ms, "2"), {1511 * ms, hangUp}},
			want:  operation.CallEnded, end: 1511 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"the bot cancels in the prompt": {
			steps: []step{{1010 * ms, cancelBoth}},
			want:  operation.Cancelled, end: 1010 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"the bot cancels while it collects": {
			steps: []step{press(1010*ms, "24"), {2000 * ms, cancelBoth}},
			want:  operation.Cancelled, end: 2000 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"the dialog alone is cancelled in the prompt": {
			steps: []step{{1010 * ms, cancelDialog}},
			want:  operation.Cancelled, end: 1010 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"the queue alone is cancelled in the prompt": {
			steps: []step{{1010 * ms, cancelAll}},
			want:  operation.Cancelled, end: 1010 * ms, prompts: "enter 0s", heard: 1010 * ms,
		},
		"another operation barges in": {
			steps: []step{{1010 * ms, interrupt}},
			want:  operation.BargedIn, end: 1010 * ms, prompts: "enter 0s, hello.wav 1.01s", heard: 1010 * ms,
		},
		"the call has ended": {
			steps: []step{{0, closeQueue}}, want: queue.ErrClosed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := &pinCall{heard: make(map[string]time.Duration)}
				c.queue = newQueue(t, queue.Blocking(c.play), queue.WithObserver(c))
				keys := c.tones.Subscribe()
				handled, err := c.tones.Handle(tone.All, c.queue.Tone)
				if err != nil {
					t.Fatal(err)
				}
				var ctx context.Context
				ctx, c.cancel = context.WithCancelCause(t.Context())
				defer c.cancel(nil)
				c.pressAtOnce(test.before)
				time.Sleep(time.Nanosecond) // nothing else happens at that very instant

				c.began = time.Now()
				for _, s := range test.steps {
					if s.at == 0 {
						s.do(c)
						continue
					}
					time.AfterFunc(s.at, func() { s.do(c) })
				}
				synctest.Wait()
				err = enterPIN(ctx, c.queue, keys, func(pin string) bool {
					time.Sleep(time.Nanosecond) // nor at that of the last key
					c.judged = append(c.judged, pin)
					return pin == "2468"
				})
				end := time.Since(c.began).Truncate(time.Millisecond)
				if end != test.end || !errors.Is(err, test.want) || test.want == nil && err != nil {
					t.Errorf("got %v after %v, want %v after %v", err, end, test.want, test.end)
				}
				time.Sleep(10 * time.Second) // for what may still come, and must not
				synctest.Wait()
				if got := strings.Join(c.prompts, ", "); got != test.prompts {
					t.Errorf("the prompts were %q, want %q", got, test.prompts)
				}
				if got := c.heard["enter 0s"]; got < test.heard || got > min(test.heard+pinFrame, pinLength) {
					t.Errorf("%v of the prompt were heard, want %v, or up to a frame more", got, test.heard)
				}
				if got := strings.Join(c.judged, " "); got != test.judged {
					t.Errorf("the PINs were %q, want %q", got, test.judged)
				}
				c.tones.End()
				<-handled.Done()
			})
		})
	}
}

// Who knows the menu answers as soon as the prompt begins, before the dialog is at its collection.
func TestAKeyThatIsPressedAsThePromptBeginsCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := &pinCall{heard: make(map[string]time.Duration)}
		began := 0
		c.queue = newQueue(t, queue.Blocking(c.play), queue.WithInlineObserver(queue.ObserverFunc(func(e queue.Event) {
			if e.Kind == queue.Started { // within Enqueue
				began++
				c.pressAtOnce([]string{"1234#", "2468#"}[began-1])
			}
		})))
		keys := c.tones.Subscribe()
		defer c.tones.End()
		err := enterPIN(t.Context(), c.queue, keys, func(pin string) bool {
			time.Sleep(time.Nanosecond) // nothing else happens at the instant of the last key
			return pin == "2468"
		})
		if err != nil || began != 2 {
			t.Errorf("got %v after %d prompts, want that the second one is answered", err, began)
		}
	})
}

// A cancel ends the dialog, its timers, and nothing else: the keys that it had not read are there,
// and those to come.
func TestACancelOfThePINMenuLeavesTheKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := &pinCall{heard: make(map[string]time.Duration)}
		c.queue = newQueue(t, queue.Blocking(c.play))
		keys := c.tones.Subscribe()
		defer c.tones.End()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(4*time.Second, func() { cancel(operation.Cancelled) })
		if err := enterPIN(ctx, c.queue, keys, nil); !errors.Is(err, operation.Cancelled) {
			t.Errorf("got %v, want that it was cancelled", err)
		}
		c.pressAtOnce("7")
		if e, ok := keys.TryNext(); !ok || e.Tone != tone.Tone7 {
			t.Errorf("got %v, %v, want the 7", e, ok)
		}
	})
}
