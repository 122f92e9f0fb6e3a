package queue_test

import (
	"context"
	"fmt"
	"sync"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// sentence is a text that is to be spoken: a kind of the platform's own.
type sentence struct{ text string }

func (sentence) Kind() operation.Kind { return "sentence" }
func (sentence) Validate() error      { return nil }

// speaker makes speech of texts, which takes a while, and plays it.
type speaker struct {
	speech sync.Map // by operation: what was made in time
	made   chan struct{}
}

// Prepare implements [queue.Preparer].
func (s *speaker) Prepare(_ context.Context, op *operation.Operation) {
	s.speech.Store(op.ID(), "speech of "+op.Request().(sentence).text) //nolint:forcetypeassert // all are
	s.made <- struct{}{}
}

// Start implements [queue.Media].
func (s *speaker) Start(t queue.Task) error {
	if speech, ok := s.speech.LoadAndDelete(t.ID()); ok {
		fmt.Println("plays at once:", speech)
	} else {
		fmt.Println("makes it now:", t.Request().(sentence).text) //nolint:forcetypeassert // all are
	}
	go func() {
		if t.Request().(sentence).text == "Hello." { //nolint:forcetypeassert // all are
			<-s.made // it is heard for longer than it takes to make the next one
		}
		t.End(operation.Result{})
	}()
	return nil
}

// Stop implements [queue.Media].
func (s *speaker) Stop(t queue.Task) { t.End(operation.Result{}) }

// While a sentence is heard, the speech of the next one is made: no silence comes between them.
func ExamplePreparer() {
	q, err := queue.New("call-1", &speaker{made: make(chan struct{})})
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"Hello.", "Please hold."} {
		if _, err := q.Enqueue(context.Background(), sentence{text}); err != nil {
			panic(err)
		}
	}
	if _, err := q.Shutdown(context.Background(), nil); err != nil {
		panic(err)
	}
	// Output:
	// makes it now: Hello.
	// plays at once: speech of Please hold.
}
