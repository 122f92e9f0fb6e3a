package main

import (
	"context"
	"fmt"
	"sync"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Speaker is media that speaks. It is a [queue.Preparer] too: [queue.New] finds the method.
type Speaker struct {
	queue.Media // Start and Stop

	Line chan Sentence // what the caller hears
	Made chan string   // what was made ahead

	mu   sync.Mutex           // guards the block below
	next *operation.Operation // the one whose speech was made ahead
	wave []byte               // its speech
}

// Sentence is what is spoken now.
type Sentence struct {
	Text  string
	Wave  []byte
	Ahead bool          // it was made while the sentence before it was heard
	Heard chan struct{} // to be closed when the caller has heard it
}

// NewSpeaker returns media for one call.
func NewSpeaker() *Speaker {
	s := &Speaker{Line: make(chan Sentence), Made: make(chan string, 1)}
	s.Media = queue.Blocking(s.speak)
	return s
}

// Prepare makes the speech of the operation that is next, while another one runs. Only the last
// one is kept: what was made for an operation that was cancelled is gone with the next one.
func (s *Speaker) Prepare(ctx context.Context, op *operation.Operation) {
	speak, ok := op.Request().(*Speak)
	if !ok {
		return
	}
	wave, err := synthesize(ctx, speak.Text)
	if err != nil {
		return // its turn has come, or it was cancelled; or speak meets the error again
	}
	s.mu.Lock()
	s.next, s.wave = op, wave
	s.mu.Unlock()
	select {
	case s.Made <- speak.Text:
	case <-ctx.Done():
	}
}

// speak is what an operation does, on a goroutine of its own.
func (s *Speaker) speak(ctx context.Context, op queue.Active) (operation.Result, error) {
	speak, ok := op.Request().(*Speak)
	if !ok {
		return operation.Result{}, fmt.Errorf("speech: cannot do %q", op.Kind())
	}
	s.mu.Lock()
	wave, ahead := s.wave, s.next == op.Operation
	s.mu.Unlock()
	if !ahead {
		var err error
		if wave, err = synthesize(ctx, speak.Text); err != nil {
			return operation.Result{}, err
		}
	}
	heard := make(chan struct{})
	select {
	case s.Line <- Sentence{speak.Text, wave, ahead, heard}: // frame by frame, in yours
	case <-ctx.Done(): // it was cancelled
		return operation.Result{}, op.Err()
	}
	select {
	case <-heard:
		return operation.Result{}, nil
	case <-ctx.Done():
		return operation.Result{}, op.Err()
	}
}

// synthesize stands for your engine. It gives up when ctx ends.
func synthesize(ctx context.Context, text string) ([]byte, error) {
	return []byte(text), context.Cause(ctx)
}
