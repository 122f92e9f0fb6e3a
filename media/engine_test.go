package media_test

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

func TestARecordOnACallThatCannotRecordFails(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*media.Call){
		func(c *media.Call) { c.Source = nil },
		func(c *media.Call) { c.Folder = "" },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, change)
			b.wantEnd(t, b.enqueue(t, record()), operation.Unspecified, 0)
		})
	}
}

func TestACallThatIsNotWholeIsRefused(t *testing.T) {
	t.Parallel()
	engine := media.NewEngine()
	defer engine.Close()
	phone := media.NewPhone()
	var nobody *media.Phone
	for want, call := range map[string]media.Call{
		"media: call without sink":                                                  {Prompts: memory{}},
		"media: call without prompts":                                               {Sink: phone},
		"media: call with a nil sink (*media.Phone)":                                {Sink: nobody, Prompts: memory{}},
		"media: call with a nil source (*media.Phone)":                              {Sink: phone, Prompts: memory{}, Source: nobody},
		"media: call with nil prompts (media_test.memory)":                          {Sink: phone, Prompts: memory(nil)},
		"media: speech level is 3 dBFS, must be -90 to below 0, or zero for -45":    {Sink: phone, Prompts: memory{}, SpeechLevel: 3},
		"media: speech level is -91 dBFS, must be -90 to below 0, or zero for -45":  {Sink: phone, Prompts: memory{}, SpeechLevel: -91},
		"media: speech level is NaN dBFS, must be -90 to below 0, or zero for -45":  {Sink: phone, Prompts: memory{}, SpeechLevel: math.NaN()},
		"media: speech level is -Inf dBFS, must be -90 to below 0, or zero for -45": {Sink: phone, Prompts: memory{}, SpeechLevel: math.Inf(-1)},
	} {
		if _, err := engine.Media(call); err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestCloseOfTheEngineFailsWhatIsUnderWayAndKeepsTheRecording(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, with(memory{"a": noise(1, 320)}))
		op := b.enqueue(t, record())
		time.Sleep(frame)
		b.phone.Say(speech)
		time.Sleep(time.Second)
		b.engine.Close()
		r := b.wantEnd(t, op, operation.ShutDown, time.Second+frame)
		b.wantRecording(t, op, r.Recording, speech)
		r = b.wantEnd(t, b.play(t, "a"), operation.ShutDown, time.Second+frame)
		if !errors.Is(r.Err, media.ErrClosed) {
			t.Errorf("got %v, want %v", r.Err, media.ErrClosed)
		}
		b.engine.Close()
	})
}

func TestInlineMediaAndInlineObserverAreWelcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := media.NewEngine()
		defer engine.Close()
		phone := media.NewPhone()
		media, err := engine.Media(media.Call{Sink: phone, Prompts: memory{"a": noise(1, 640), "b": noise(2, 640)}})
		if err != nil {
			t.Fatal(err)
		}
		q, err := queue.New("call", media, queue.WithInlineMedia(),
			queue.WithInlineObserver(queue.ObserverFunc(func(queue.Event) {})))
		if err != nil {
			t.Fatal(err)
		}
		var last *operation.Operation
		for _, uri := range []string{"a", "b", "a"} {
			if last, err = q.Enqueue(t.Context(), &operation.PlayPrompt{Prompts: prompts(uri)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := last.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSamples(t, "heard", phone.Heard(), framed(silence(frame), noise(1, 640), noise(2, 640), noise(1, 640)))
		q.Close(nil)
		<-q.Done()
	})
}
