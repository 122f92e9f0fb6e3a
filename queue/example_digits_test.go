package queue_test

import (
	"context"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// The collection of digits is an operation like others: it begins when the prompt before it is
// over, and whatever ends the operation ends it.
func Example_digits() {
	var tones tone.Stream
	keys := tones.Subscribe()
	q, err := queue.New("call-1", withDigits{
		player: &queuetest.Media{},
		digits: queue.Blocking(func(ctx context.Context, op queue.Active) (operation.Result, error) {
			c, err := keys.Collect(ctx, tone.CollectOptions(*op.Request().(*collectDigits)))
			return operation.Result{Reason: operation.ReasonOfDigits(c.Reason), Value: c}, err
		}),
	})
	if err != nil {
		panic(err)
	}
	if _, err := tones.Handle(tone.All, q.Tone); err != nil {
		panic(err)
	}
	ask := func() *operation.Operation {
		_, err := q.Enqueue(context.Background(), &operation.PlayPrompt{
			Prompts: []operation.Prompt{{URI: "file:your-age.wav"}}, StopTones: tone.All,
		})
		if err != nil {
			panic(err)
		}
		digits, err := q.Enqueue(context.Background(),
			&collectDigits{Max: 2, FirstTimeout: 5 * time.Second})
		if err != nil {
			panic(err)
		}
		return digits
	}
	digits := ask()
	_, _ = tones.Publish(tone.Tone4)
	_, _ = tones.Publish(tone.Tone2)
	result, err := digits.Wait(context.Background())
	fmt.Println(result.Value.(tone.Collected).Digits, result.Reason, err)

	digits = ask()
	q.CancelAll()
	fmt.Println(digits.Status(), digits.Live())

	q.Close(operation.CallEnded)
	tones.End()
	<-q.Done()
	// Output:
	// 42 maxDigits (200/8531) <nil>
	// failed false
}

// collectDigits is a request of the platform's own.
type collectDigits tone.CollectOptions

func (*collectDigits) Kind() operation.Kind { return "collectDigits" }
func (*collectDigits) Validate() error      { return nil } // Collect looks

// withDigits is media of two: one for this kind, one for all others.
type withDigits struct{ player, digits queue.Media }

func (m withDigits) of(t queue.Task) queue.Media {
	if t.Kind() == "collectDigits" {
		return m.digits
	}
	return m.player
}

func (m withDigits) Start(t queue.Task) error { return m.of(t).Start(t) }
func (m withDigits) Stop(t queue.Task)        { m.of(t).Stop(t) }
