package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// What is given to package fmt is not read without the queue's lock, and is for people.
func TestAReceiptIsPrinted(t *testing.T) {
	t.Parallel()
	if s := fmt.Sprint(queue.Receipt{}); s != "nothing ended" {
		t.Errorf("the zero receipt: %q", s)
	}
	q, err := queue.New("call", &queuetest.Media{})
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, 12)
	r := q.CancelAll()
	printed := make(chan string)
	go func() {
		s := ""
		for range 50 {
			s = fmt.Sprintf("%v", r)
		}
		printed <- s
	}()
	for range 10 { // the media of the first one is stopped meanwhile
		enqueue(t, q, 1)
		q.CancelAll()
	}
	s := <-printed
	if n := strings.Count(s, "playPrompt "); n != 8 || strings.Count(s, "(400/8508)") != n {
		t.Errorf("%d of the ended are named, want 8: %s", n, s)
	}
	if !strings.HasPrefix(s, "cancelMediaProcessing ") || !strings.HasSuffix(s, ", and 4 more") {
		t.Error(s)
	}
	if s := q.CancelAll().String(); !strings.HasSuffix(s, ": nothing ended") {
		t.Error(s)
	}
	if s := q.Close(nil).String(); s != "nothing ended" {
		t.Error(s)
	}
}

// So it is with groups, media of tests, and the writing side of an operation.
func TestAGroupIsPrinted(t *testing.T) {
	t.Parallel()
	var g queue.Group
	var media queuetest.Media
	var control operation.Control
	control.Init(operation.Spec{Request: play()})
	control.Accept(new(operation.Generation), time.Now())
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v %s", &g, &media, &control)
		}
	})
	q, err := g.New("call", &media)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, q, 1)
	_, started := media.WaitStarted(t.Context(), 1)
	q.CancelAll()
	_, stopped := media.WaitStopped(t.Context(), 1)
	control.Progress(time.Second)
	all.Wait()
	if err := errors.Join(started, stopped); err != nil {
		t.Fatal(err)
	}
	want := "group of 1 queues, scripted media, 1 started, 1 stopped, " + control.Operation().String()
	if got := fmt.Sprintf("%v, %+v, %v", &g, &media, &control); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
