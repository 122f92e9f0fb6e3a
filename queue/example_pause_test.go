package queue_test

import (
	"context"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// An agent looks something up: the announcement that runs is heard to its end, and the next one waits
// until he is back.
func ExampleQueue_Pause() {
	m := &queuetest.Media{} // it plays until the example has it end
	q, err := queue.New("call-1", m, queue.WithInlineMedia())
	if err != nil {
		panic(err)
	}
	var ops []*operation.Operation
	for _, uri := range []string{"file:please-hold.wav", "file:result.wav"} {
		op, err := q.Enqueue(context.Background(), operation.Play(uri))
		if err != nil {
			panic(err)
		}
		ops = append(ops, op)
	}
	q.Pause()
	m.Current().End(operation.Result{})
	fmt.Println(ops[0].Status(), ops[1].Status())

	q.Resume()
	fmt.Println(ops[1].Status())
	q.Close(nil)
	// Output:
	// completed notStarted
	// running
}

// The caller coughed: what barged in on the play is withdrawn, and the play goes on where it was.
func ExampleQueue_Interrupt_falseBargeIn() {
	m := &queuetest.Media{}
	q, err := queue.New("call-1", m, queue.WithInlineMedia())
	if err != nil {
		panic(err)
	}
	req := operation.Play("file:a.wav", "file:b.wav")
	op, err := q.Enqueue(context.Background(), req)
	if err != nil {
		panic(err)
	}
	m.Current().ProgressAt(1, 1500*time.Millisecond, 4*time.Second) // media that plays reports this

	heard, _, err := q.Interrupt(context.Background(), &operation.RecordResponse{})
	if err != nil {
		panic(err)
	}
	if _, err := q.Cancel(heard.ID()); err != nil { // nobody spoke
		panic(err)
	}
	again, err := q.Enqueue(context.Background(), req.From(op.Place()))
	if err != nil {
		panic(err)
	}
	rest := again.Request().(*operation.PlayPrompt) //nolint:forcetypeassert // it is what was enqueued
	fmt.Println(again.Status(), rest.FirstPrompt, rest.Offset)
	q.Close(nil)
	// Output: running 1 1.5s
}

// Hold music ends with the call's last words, at its next boundary.
func ExampleActive_LastLoop() {
	q, err := queue.New("call-1", queue.Blocking(loops))
	if err != nil {
		panic(err)
	}
	music, err := q.Enqueue(context.Background(), &operation.PlayPrompt{
		Prompts: []operation.Prompt{{URI: "file:music.wav"}}, Loop: true,
	})
	if err != nil {
		panic(err)
	}
	receipt, err := q.Shutdown(context.Background(), nil)
	fmt.Println(receipt.Len(), err, music.Status())
	// Output: 0 <nil> completed
}

// loops plays a second, again and again.
func loops(ctx context.Context, op queue.Active) (operation.Result, error) {
	for {
		if _, err := oneSecond(ctx, op); err != nil || op.LastLoop() {
			return operation.Result{}, err
		}
	}
}

// oneSecond plays for a second.
//
//nolint:unparam // the form of a Blocking function
func oneSecond(ctx context.Context, _ queue.Active) (operation.Result, error) {
	select {
	case <-ctx.Done():
		return operation.Result{}, context.Cause(ctx)
	case <-time.After(time.Second):
		return operation.Result{}, nil
	}
}
