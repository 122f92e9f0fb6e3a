package queue_test

import (
	"fmt"
	"strings"
	"testing"

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
