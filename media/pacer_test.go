package media_test

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// stopwatch is a sink that notes when frames come and where they belong, and may be slow.
type stopwatch struct {
	start time.Time
	delay func(n int) time.Duration // of frame n

	mu    sync.Mutex // guards notes
	notes []note
}

// note is a frame, in time since the start.
type note struct{ belongs, came time.Duration }

func (s *stopwatch) WriteFrame(at time.Time, _ []int16) error {
	s.mu.Lock()
	n := len(s.notes)
	s.notes = append(s.notes, note{at.Sub(s.start), time.Since(s.start)})
	s.mu.Unlock()
	if s.delay != nil {
		time.Sleep(s.delay(n))
	}
	return nil
}

func (s *stopwatch) frames() []note {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notes)
}

func clocked(s *stopwatch) func(*media.Call) {
	return func(c *media.Call) { c.Sink, c.Prompts = s, memory{"a": noise(1, 1000*320)} }
}

func TestFramesComeEvery20msAndALateOneMakesNoneLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stopwatch{start: time.Now(), delay: func(n int) time.Duration { return time.Duration(n%19) * time.Millisecond }}
		b := newBed(t, clocked(s))
		b.wantEnd(t, b.play(t, "a"), operation.Succeeded, 1000*frame+time.Duration(999%19)*time.Millisecond)
		for i, f := range s.frames() {
			if want := time.Duration(i+1) * frame; f.came != want || f.belongs != want {
				t.Fatalf("frame %d came at %v and belongs at %v, want %v", i, f.came, f.belongs, want)
			}
		}
	})
}

func TestAPacerThatWasHeldUpCatchesUpWith200msAndGivesUpTheRest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ held, gap time.Duration }{
		{100 * time.Millisecond, frame}, // made up for
		{220 * time.Millisecond, frame}, // just so
		{240 * time.Millisecond, 240 * time.Millisecond},
		{10 * time.Second, 10 * time.Second},
	} {
		t.Run(fmt.Sprint(test.held), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &stopwatch{start: time.Now(), delay: func(n int) time.Duration {
					if n == 10 {
						return test.held
					}
					return 0
				}}
				b := newBed(t, clocked(s))
				b.play(t, "a")
				time.Sleep(15 * time.Second)
				frames := s.frames()
				for i := 1; i < len(frames); i++ {
					gap, want := frames[i].belongs-frames[i-1].belongs, frame
					if i == 11 {
						want = test.gap
					}
					if gap != want {
						t.Fatalf("frame %d belongs %v after the one before, want %v", i, gap, want)
					}
					if early := frames[i].belongs - frames[i].came; early > 0 {
						t.Fatalf("frame %d came %v before its time", i, early)
					}
				}
				if late := frames[40].came - frames[40].belongs; late != 0 {
					t.Errorf("30 frames later it still is %v late", late)
				}
			})
		})
	}
}

func TestOneCallNeverGetsTwoFramesForOneInstant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stopwatch{start: time.Now()}
		b := newBed(t, clocked(s))
		for i := range 100 { // operations begin and end at all odds with the grid
			b.play(t, "a")
			time.Sleep(time.Duration(i) * 1300 * time.Microsecond)
			b.CancelAll()
			time.Sleep(time.Duration(i%7) * 9 * time.Millisecond)
		}
		last := time.Duration(0)
		for i, f := range s.frames() {
			if f.belongs%frame != 0 || f.belongs <= last {
				t.Fatalf("frame %d belongs at %v, after %v", i, f.belongs, last)
			}
			last = f.belongs
		}
		if n := len(s.frames()); n < 100 {
			t.Errorf("only %d frames", n)
		}
	})
}

// goroutines returns the stacks of those that run code of the queue or of the engine, without those
// of the tests.
func goroutines() []string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var found []string
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		if strings.Contains(stack, "ivrqueue/") && !strings.Contains(stack, "media_test.Test") {
			found = append(found, stack)
		}
	}
	return found
}

// TestThousandsOfCallsShareOnePacer is not parallel, since it counts the goroutines of all.
func TestThousandsOfCallsShareOnePacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 3000
		engine := media.NewEngine()
		defer engine.Close()
		prompts := memory{"a": noise(1, 10*320)}
		var phones []*media.Phone
		var queues []*queue.Queue
		var ops []*operation.Operation
		for i := range calls {
			phone := media.NewPhone()
			media, err := engine.Media(media.Call{Sink: phone, Prompts: prompts})
			if err != nil {
				t.Fatal(err)
			}
			q, err := queue.New(strconv.Itoa(i), media)
			if err != nil {
				t.Fatal(err)
			}
			op, err := q.Enqueue(t.Context(), &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "a"}}})
			if err != nil {
				t.Fatal(err)
			}
			phones, queues, ops = append(phones, phone), append(queues, q), append(ops, op)
		}
		synctest.Wait()
		if got := goroutines(); len(got) != 1 {
			t.Errorf("%d calls play with %d goroutines, want 1:\n%s", calls, len(got), strings.Join(got, "\n\n"))
		}
		for _, op := range ops {
			if _, err := op.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for i, phone := range phones {
			wantSamples(t, fmt.Sprintf("call %d", i), phone.Heard(), append(silence(frame), prompts["a"]...))
		}
		synctest.Wait()
		if got := goroutines(); len(got) != 0 {
			t.Errorf("%d goroutines left when nothing plays, want 0:\n%s", len(got), strings.Join(got, "\n\n"))
		}
		for _, q := range queues {
			q.Close(nil)
			<-q.Done()
		}
	})
}
