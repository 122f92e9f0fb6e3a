package inspect_test

import (
	"context"
	"errors"
	"strings"
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

// A call is followed from its beginning to after its end: what waits, runs, ended and why, where
// the media is, cancels, keys and notes.
func TestACallIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		p := ring(t, h, "call-1", inspect.Label{Name: "SIP Call-ID", Value: "a@b"})
		c, all := watch(t, h, "?call=1"), watch(t, h, "")
		var s, list state
		tick := func(d time.Duration) {
			time.Sleep(d)
			s.know(c.events(t))
			list.know(all.events(t))
		}
		tick(0)
		equal(t, "the call's id", at(list.calls[1], "id"), any("call-1"))
		equal(t, "its label", at(list.calls[1], "labels", 0, 1), any("a@b"))

		p.shown.Note("established")
		p.enqueue(play("https://x.example/a/one.wav", "two.wav"), queue.ClientContext("first"))
		p.enqueue(play("three.wav"))
		tick(1400 * time.Millisecond)
		equal(t, "what runs", at(list.calls[1], "title"), any("one.wav"))
		equal(t, "what waits", at(list.calls[1], "waiting"), any(1.0))
		first := s.operations[1]
		equal(t, "the first one's title", first["title"], any("one.wav"))
		equal(t, "its prompts", first["prompts"], any(2.0))
		equal(t, "its client context", first["context"], any("first"))
		equal(t, "it has started", first["started"] != nil, true)
		equal(t, "it has not ended", first["ended"] == nil, true)
		equal(t, "the prompt that is heard", at(s.last, "running", "prompt"), any("two.wav"))
		equal(t, "its number", at(s.last, "running", "index"), any(1.0))
		if offset, _ := at(s.last, "running", "offset").(float64); offset < 200 || offset > 400 {
			t.Errorf("at %v ms in it, want 200 to 400", offset)
		}
		equal(t, "the second one waits", s.operations[2]["started"] == nil, true)

		_, _ = p.tones.Publish(tone.Tone7)
		time.Sleep(time.Millisecond)
		cancel := p.queue.CancelAll(queue.ClientContext("enough"))
		tick(200 * time.Millisecond)
		for n := range 2 {
			r := s.operations[float64(n+1)]["result"]
			equal(t, "the reason", at(r, "reason"), any("cancelled"))
			equal(t, "the code", at(r, "code"), any(400.0))
			equal(t, "the subcode", at(r, "subcode"), any(8508.0))
			equal(t, "who did it", at(r, "by", "context"), any("enough"))
			equal(t, "by its id", at(r, "by", "id"), any(cancel.Operation().ID().String()))
		}
		equal(t, "the prompt in the end", at(s.operations[1], "result", "prompt"), any("two.wav"))
		equal(t, "the one that waited never started", s.operations[2]["started"] == nil, true)
		gap := s.operations[1]["released"].(float64) - s.operations[1]["ended"].(float64)
		equal(t, "ms until its media was silent", gap, 80)
		equal(t, "marks", len(s.marks), 3)
		equal(t, "the note", s.marks[1]["text"], any("established"))
		equal(t, "the key", s.marks[2]["kind"], any("key"))
		equal(t, "which key it was", s.marks[2]["tone"], nil)
		equal(t, "the cancel", s.marks[3]["kind"], any("cancel"))
		equal(t, "the cancel ended", s.marks[3]["count"], any(2.0))

		record := &operation.RecordResponse{MaxDuration: 2 * time.Second}
		p.enqueue(record)
		tick(2500 * time.Millisecond)
		equal(t, "the record's reason", at(s.operations[3], "result", "reason"), any("maxDuration"))
		equal(t, "what it recorded", at(s.operations[3], "result", "recorded"), any(2000.0))
		equal(t, "completed", at(s.call, "completed"), any(1.0))
		equal(t, "failed", at(s.call, "failed"), any(2.0))

		p.enqueue(play("bye.wav"))
		tick(300 * time.Millisecond)
		p.hangUp()
		tick(300 * time.Millisecond)
		equal(t, "the call's end", at(s.call, "why"), any("callEnded"))
		equal(t, "it has a time", at(list.calls[1], "ended") != nil, true)
		equal(t, "the last one's reason", at(s.operations[4], "result", "reason"), any("callEnded"))
		equal(t, "nothing runs", s.last["running"], nil)

		tick(inspect.DefaultKeepFor)
		equal(t, "it gets the call's removal", s.gone, true)
		equal(t, "calls in the list", len(list.calls), 0)
	})
}

// Which key it was is kept if that was asked for, and else nowhere.
func TestKeysAreHiddenUnlessAskedFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		opts []inspect.Option
		want any
	}{
		{"hidden", nil, nil},
		{"asked for", []inspect.Option{inspect.WithKeyValues()}, "7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHandler(t, test.opts...)
				p := ring(t, h, "a")
				if _, err := p.tones.Handle(tone.All, p.queue.Tone); err != nil {
					t.Fatal(err)
				}
				request := play("menu.wav")
				request.StopTones = tone.Digits
				p.enqueue(request)
				time.Sleep(300 * time.Millisecond)
				_, _ = p.tones.Publish(tone.Tone7)
				time.Sleep(300 * time.Millisecond)
				p.hangUp()
				c := watch(t, h, "?call=1")
				var s state
				s.know(c.events(t))
				equal(t, "keys", at(s.call, "keys"), any(1.0))
				seen := 0
				for _, m := range s.marks {
					switch m["kind"] {
					case "key":
						seen++
						equal(t, "the key", m["tone"], test.want)
					case "cancel":
						seen++
						equal(t, "the key that ended the play", at(m, "by", "tone"), test.want)
						equal(t, "that it was a key", at(m, "by", "kind"), any("key"))
					}
				}
				equal(t, "marks", seen, 2)
				equal(t, "the key of the result", at(s.operations[1], "result", "by", "tone"), test.want)
				if body := c.body.String(); test.want == nil && strings.Contains(body, `"7"`) {
					t.Errorf("the key is in it: %s", body)
				}
			})
		})
	}
}

// Sent tones are values too, and so are addresses: of these the end is shown.
func TestWhatARequestMayHoldIsNotShown(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 200) + ".wav"
	for _, test := range []struct {
		request operation.Request
		kind    string
		title   any
	}{
		{play("https://me:secret@x.example/secret/a.wav?sig=secret#secret"), "playPrompt", "a.wav"},
		{play("embedded:welcome.wav"), "playPrompt", "welcome.wav"},
		{play("https://x.example/a/"), "playPrompt", "a"},
		{play("data:audio/wav;base64,secret"), "playPrompt", "data"},
		{play("///"), "playPrompt", nil},
		{play("https://x.example/" + long), "playPrompt", strings.Repeat("ä", 62) + "…"},
		{&operation.RecordResponse{Prompts: []operation.Prompt{{URI: "beep.wav"}}}, "recordResponse", "beep.wav"},
		{&operation.RecordResponse{}, "recordResponse", nil},
		{&operation.SendTones{Tones: []tone.Tone{tone.Tone1, tone.Tone2}}, "sendDtmfTones", "2 tones"},
		{&operation.SendTones{Tones: []tone.Tone{tone.Tone1}}, "sendDtmfTones", "1 tone"},
		{speech("secret"), "speech", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHandler(t)
			p := ring(t, h, "a")
			p.enqueue(test.request)
			synctest.Wait()
			c := watch(t, h, "?call=1")
			var s state
			s.know(c.events(t))
			equal(t, "kind", s.operations[1]["kind"], any(test.kind))
			equal(t, "title", s.operations[1]["title"], test.title)
			if strings.Contains(c.body.String(), "secret") {
				t.Errorf("a secret is in it: %s", c.body.String())
			}
			c.leave()
			p.hangUp()
		})
	}
}

// speech is a request of the platform's own.
type speech string

func (speech) Kind() operation.Kind { return "speech" }
func (speech) Validate() error      { return nil }

// twoFaced is a request whose kind panics once it is accepted.
type twoFaced struct{ asked int }

func (r *twoFaced) Validate() error { return nil }
func (r *twoFaced) Kind() operation.Kind {
	if r.asked++; r.asked > 1 {
		panic("oh")
	}
	return "twoFaced"
}

func TestAKindThatPanicsIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		p := ring(t, h, "a")
		p.enqueue(new(twoFaced))
		time.Sleep(2 * time.Second)
		s := look(t, h, "?call=1")
		equal(t, "kind", s.operations[1]["kind"], any("unknown"))
		equal(t, "it ran and ended", s.operations[1]["result"] != nil, true)
		p.hangUp()
	})
}

// An id may be used again once its operation has ended: that is another operation.
func TestOperationsWithOneIDAreToldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		p := ring(t, h, "a")
		id := uuid.New()
		p.enqueue(play("one.wav"), queue.ID(id))
		time.Sleep(500 * time.Millisecond)
		p.queue.CancelAll()
		p.enqueue(play("two.wav"), queue.ID(id)) // while the media of the first one falls silent
		time.Sleep(2 * time.Second)
		s := look(t, h, "?call=1")
		equal(t, "operations", len(s.operations), 2)
		equal(t, "the first one", s.operations[1]["title"], any("one.wav"))
		equal(t, "how it ended", at(s.operations[1], "result", "reason"), any("cancelled"))
		equal(t, "its media is silent", s.operations[1]["released"] != nil, true)
		equal(t, "the second one", s.operations[2]["title"], any("two.wav"))
		equal(t, "how it ended", at(s.operations[2], "result", "reason"), any("succeeded"))
		equal(t, "its media was not stopped", s.operations[2]["released"], nil)
		p.hangUp()
	})
}

// A barge-in, a timeout and a hang-up are distinguished; media that hangs is named.
func TestEndsAreToldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		hangs := queue.Blocking(func(context.Context, queue.Active) (operation.Result, error) {
			time.Sleep(time.Minute)
			return operation.Result{Recording: operation.Recording{Duration: time.Second}}, nil
		})
		q, err := queue.New("a", hangs, queue.WithObserver(h))
		if err != nil {
			t.Fatal(err)
		}
		p := &phone{tb: t, queue: q}
		p.enqueue(play("a.wav"))
		time.Sleep(time.Second)
		if _, _, err := q.Interrupt(t.Context(), play("b.wav"), queue.ClientContext("now")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(queue.DefaultStopTimeout + time.Second)
		s := look(t, h, "?call=1")
		equal(t, "the first one's reason", at(s.operations[1], "result", "reason"), any("bargedIn"))
		equal(t, "by", at(s.operations[1], "result", "by", "context"), any("now"))
		equal(t, "it was abandoned", s.operations[1]["abandoned"], any(true))
		equal(t, "the mark's reason", s.marks[1]["reason"], any("bargedIn"))
		q.Close(nil)
		time.Sleep(30 * time.Second)
		equal(t, "queues that are kept", h.Queues(), 1) // it may report yet
		time.Sleep(2 * time.Minute)
		equal(t, "queues that are kept", h.Queues(), 0)
		s = look(t, h, "?call=1")
		equal(t, "it has reported late", s.operations[1]["abandoned"], nil)
		equal(t, "what it had recorded", at(s.operations[1], "result", "recorded"), any(1000.0))
		equal(t, "the second one's reason", at(s.operations[2], "result", "reason"), any("callEnded"))
	})
}

// A pause is shown: of the queue, and of what runs.
func TestPausesAreShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		p := ring(t, h, "a")
		c := watch(t, h, "?call=1")
		var s state
		p.queue.Pause()
		time.Sleep(200 * time.Millisecond)
		s.know(c.events(t))
		equal(t, "paused", s.last["paused"], any(true))
		p.queue.Resume()
		time.Sleep(200 * time.Millisecond)
		s.know(c.events(t))
		equal(t, "paused", s.last["paused"], nil)
		p.hangUp()
	})
}

// Deliveries are shown with their attempts, and without the words of an error: a client could learn
// from them what there is in networks that it can't reach.
func TestNotificationsAreShownWithTheirAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		id := uuid.New()
		q := newQueue(t, h, "not a UUID")
		if _, err := h.Attach(inspect.Attachment{Queue: q, ID: id}); err != nil {
			t.Fatal(err)
		}
		delivery := uuid.New()
		refused := errors.New("dial tcp 10.0.0.1:22: connection refused")
		try := func(a webhook.Attempt) {
			a.DeliveryID, a.CallID, a.Notifications = delivery, id, 3
			if a.Number > 0 {
				a.Began, a.Took = time.Now(), 20*time.Millisecond
			}
			h.Attempt(a)
			time.Sleep(time.Second)
		}
		try(webhook.Attempt{Number: 1, Err: refused, Wait: time.Second})
		c := watch(t, h, "?call=1")
		var s state
		s.know(c.events(t))
		d := s.deliveries[1]
		equal(t, "state", d["state"], any("repeated"))
		equal(t, "notifications", d["notifications"], any(3.0))
		equal(t, "when it is repeated", d["next"], any(1020.0))
		equal(t, "what came of it", at(d, "attempts", 0, "what"), any("no answer"))
		try(webhook.Attempt{Number: 2, Status: 503, Err: refused, Wait: time.Second})
		try(webhook.Attempt{Number: 3, Err: context.DeadlineExceeded, Wait: time.Second})
		try(webhook.Attempt{Number: 4, Err: rude{}, Wait: time.Second})
		try(webhook.Attempt{Number: 5, Status: 202, Last: true})
		s.know(c.events(t))
		d = s.deliveries[1]
		equal(t, "state", d["state"], any("taken"))
		equal(t, "attempts", d["count"], any(5.0))
		for i, want := range []string{"no answer", "answered 503", "no answer in time", "failed", "answered 202"} {
			equal(t, "what came of it", at(d, "attempts", i, "what"), any(want))
		}
		equal(t, "it was taken", at(d, "attempts", 4, "taken"), any(true))
		if strings.Contains(c.body.String(), "10.0.0.1") {
			t.Error("the address is shown")
		}

		delivery = uuid.New() // one that is given up while it waits
		for n := range 20 {
			try(webhook.Attempt{Number: n + 1, Status: 500, Err: refused, Wait: time.Second})
		}
		try(webhook.Attempt{Number: 20, Status: 500, Err: refused, Last: true})
		s.know(c.events(t))
		d = s.deliveries[2]
		equal(t, "state", d["state"], any("givenUp"))
		equal(t, "attempts", d["count"], any(20.0))
		equal(t, "attempts that are kept", len(d["attempts"].([]any)), 8)
		equal(t, "when it is repeated", d["next"], nil)

		delivery = uuid.New() // the same, after two
		try(webhook.Attempt{Number: 1, Status: 500, Err: refused, Wait: time.Second})
		try(webhook.Attempt{Number: 2, Status: 500, Err: refused, Wait: time.Second})
		try(webhook.Attempt{Number: 2, Status: 500, Err: refused, Last: true})
		s.know(c.events(t))
		equal(t, "attempts, reported again or not", len(s.deliveries[3]["attempts"].([]any)), 2)

		delivery = uuid.New() // one for which there was never a place
		try(webhook.Attempt{Err: refused, Last: true})
		s.know(c.events(t))
		equal(t, "state", s.deliveries[4]["state"], any("givenUp"))
		equal(t, "attempts", s.deliveries[4]["count"], any(0.0))

		id = uuid.New() // another call, which nobody knows
		try(webhook.Attempt{Number: 1, Status: 202, Last: true})
		q.Close(nil)
		<-q.Done()
	})
}

// rude is an error whose methods panic.
type rude struct{}

func (rude) Error() string   { panic("oh") }
func (rude) Is(error) bool   { panic("oh") }
func (rude) Unwrap() error   { panic("oh") }
func (rude) As(any) bool     { panic("oh") }
func (rude) Timeout() bool   { panic("oh") }
func (rude) Temporary() bool { panic("oh") }
