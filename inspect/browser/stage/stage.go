package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"ivrqueue/inspect"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// lengths are of the prompts.
var lengths = map[string]time.Duration{
	"welcome.wav": 1900 * time.Millisecond, "menu.wav": 4200 * time.Millisecond,
	"hours.wav": 2600 * time.Millisecond, "hold.wav": 6 * time.Second,
	"goodbye.wav": 1300 * time.Millisecond, "beep.wav": 300 * time.Millisecond,
}

// stage is where calls are played.
type stage struct{ handler *inspect.Handler }

// actor is one call.
type actor struct {
	queue *queue.Queue
	tones *tone.Stream
	shown *inspect.Call
	id    uuid.UUID
	bot   *inspect.Handler
}

func (s *stage) enter(labels ...inspect.Label) *actor {
	a := &actor{tones: new(tone.Stream), id: uuid.New(), bot: s.handler}
	var err error
	a.queue, err = queue.New(a.id.String(), queue.Blocking(play), queue.WithObserver(s.handler))
	if err != nil {
		panic(err)
	}
	a.shown, err = s.handler.Attach(inspect.Attachment{
		Queue: a.queue, Tones: a.tones, Labels: labels,
	})
	if err != nil {
		panic(err)
	}
	if _, err := a.tones.Handle(tone.All, a.queue.Tone); err != nil {
		panic(err)
	}
	return a
}

// play is media that takes the time that its prompts last, and a moment to fall silent.
func play(ctx context.Context, op queue.Active) (operation.Result, error) {
	total := time.Duration(0)
	step := func(prompt int, length, from time.Duration) bool {
		t := time.NewTicker(20 * time.Millisecond)
		defer t.Stop()
		for began := time.Now(); ; {
			offset := min(from+time.Since(began), length)
			op.ProgressAt(prompt, offset, total+offset)
			select {
			case <-ctx.Done():
				time.Sleep(60*time.Millisecond + rand.N(120*time.Millisecond))
				return false
			case <-t.C:
			}
			if offset >= length {
				total += length
				return true
			}
		}
	}
	switch r := op.Request().(type) {
	case *operation.PlayPrompt:
		for again := true; again; again = r.Loop && !op.LastLoop() {
			for i, p := range r.Prompts {
				if !step(i, lengths[p.URI[len("https://prompts.example/"):]], 0) {
					return operation.Result{}, nil
				}
			}
		}
	case *operation.RecordResponse:
		step(0, r.MaxDuration, 0)
		return operation.Result{
			Reason: operation.MaxSilence, Recording: operation.Recording{Duration: total},
			Position: total,
		}, nil
	}
	return operation.Result{Position: total}, nil
}

func prompts(names ...string) (all []operation.Prompt) {
	for _, name := range names {
		all = append(all, operation.Prompt{URI: "https://prompts.example/" + name})
	}
	return all
}

func (a *actor) plays(mark string, names ...string) {
	a.asks(mark, &operation.PlayPrompt{Prompts: prompts(names...)})
}

// asks enqueues a request. A call that has ended meanwhile takes none.
func (a *actor) asks(mark string, r operation.Request) {
	_, _ = a.queue.Enqueue(context.Background(), r, queue.ClientContext(mark))
}

func (a *actor) presses(keys string) {
	for _, char := range keys {
		key, _ := tone.FromChar(char)
		_, _ = a.tones.Publish(key)
		time.Sleep(230 * time.Millisecond)
	}
}

// deliver shows a delivery whose attempts are answered with these statuses.
func (a *actor) deliver(notifications int, statuses ...int) {
	id := uuid.New()
	go func() {
		for i, status := range statuses {
			took := 30*time.Millisecond + rand.N(60*time.Millisecond)
			began := time.Now()
			time.Sleep(took)
			at := webhook.Attempt{
				DeliveryID: id, CallID: a.id, Notifications: notifications, Number: i + 1, Began: began,
				Took: took, Status: status, Last: i == len(statuses)-1,
			}
			if status/100 != 2 {
				at.Err = fmt.Errorf("answered %d", status)
			}
			if !at.Last {
				at.Wait = time.Duration(i+1) * 600 * time.Millisecond
			}
			a.bot.Attempt(at)
			time.Sleep(at.Wait)
		}
	}()
}

func (a *actor) leaves() {
	a.queue.Close(nil)
	a.tones.End()
}

// scenes plays one call after the other.
func (s *stage) scenes(ctx context.Context) {
	for caller := 100; ctx.Err() == nil; caller++ {
		s.scene(ctx, fmt.Sprintf("+1 555 0%d", caller))
	}
}

// scene is a call in which everything happens.
func (s *stage) scene(ctx context.Context, from string) {
	a := s.enter(
		inspect.Label{Name: "From", Value: from},
		inspect.Label{Name: "SIP Call-ID", Value: fmt.Sprintf("%08x@sbc.example", rand.Uint32())},
		inspect.Label{Name: "Application", Value: "Support line"},
	)
	defer a.leaves()
	pause := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	a.shown.Note("established")
	a.deliver(1, 202)
	pause(350 * time.Millisecond)
	a.plays("welcome", "welcome.wav")
	pause(120 * time.Millisecond)
	a.asks("menu", &operation.PlayPrompt{
		Prompts: prompts("menu.wav", "hours.wav"), StopTones: tone.Digits,
	})
	pause(1900 * time.Millisecond)
	a.deliver(1, 503, 202)
	pause(2 * time.Second)
	a.presses("2")
	a.deliver(1, 202)
	pause(300 * time.Millisecond)
	a.asks("music", &operation.PlayPrompt{Prompts: prompts("hold.wav"), Loop: true})
	pause(500 * time.Millisecond)
	a.plays("hours", "hours.wav")
	pause(400 * time.Millisecond)
	a.plays("again", "menu.wav")
	pause(1600 * time.Millisecond)
	a.queue.CancelAll(queue.ClientContext("operator is free"))
	a.deliver(3, 202)
	pause(400 * time.Millisecond)
	a.asks("message", &operation.RecordResponse{
		Prompts: prompts("beep.wav"), MaxDuration: 3 * time.Second, StopTones: tone.Digits,
	})
	pause(900 * time.Millisecond)
	a.presses("41#")
	pause(1500 * time.Millisecond)
	a.deliver(1, 500, 500, 410)
	a.plays("hours", "hours.wav", "menu.wav")
	pause(300 * time.Millisecond)
	a.plays("bye", "goodbye.wav")
	pause(1800 * time.Millisecond)
	_, _, _ = a.queue.Interrupt(ctx, &operation.PlayPrompt{Prompts: prompts("welcome.wav")},
		queue.ClientContext("urgent"))
	pause(700 * time.Millisecond)
	a.plays("bye", "goodbye.wav")
	pause(1500 * time.Millisecond)
	a.deliver(4, 202)
}

// crowd keeps so many calls alive, which get so many operations a second, and some keys and
// cancels. A call ends now and then, and another one begins.
func (s *stage) crowd(ctx context.Context, calls, rate int) {
	all := make([]*actor, calls)
	enter := func(i int) {
		from := fmt.Sprintf("+1 555 %07d", rand.N(10_000_000))
		all[i] = s.enter(inspect.Label{Name: "From", Value: from})
	}
	for i := range all {
		enter(i)
	}
	files := []string{"welcome.wav", "hours.wav", "menu.wav", "goodbye.wav"}
	t := time.NewTicker(time.Second / time.Duration(rate))
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			for _, a := range all {
				a.leaves()
			}
			return
		case <-t.C:
		}
		i := rand.N(calls)
		switch {
		case n%40 == 0:
			all[i].leaves()
			enter(i)
		case n%17 == 0:
			all[i].queue.CancelAll()
		case n%5 == 0:
			_, _ = all[i].tones.Publish(tone.Tone5)
		}
		all[i].plays(fmt.Sprint("n", n), files[rand.N(len(files))])
	}
}
