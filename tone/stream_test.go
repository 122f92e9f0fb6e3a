package tone_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"ivrqueue/tone"
)

// press publishes n tones.
func press(t testing.TB, s *tone.Stream, n int) {
	t.Helper()
	for i := range n {
		if _, err := s.Publish(tone.Tone0 + tone.Tone(i%10)); err != nil {
			t.Fatal(err)
		}
	}
}

// rest takes all there are.
func rest(sub *tone.Subscription) (all []tone.Event) {
	for e, ok := sub.TryNext(); ok; e, ok = sub.TryNext() {
		all = append(all, e)
	}
	return all
}

func TestEverySubscriptionGetsEveryToneAfterItOnceInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		press(t, &s, 3)
		a := s.Subscribe()
		press(t, &s, 100)
		b := s.Subscribe()
		before := time.Now()
		if seq, err := s.PublishFrom("alice", tone.Flash); seq != 104 || err != nil {
			t.Errorf("number %d, %v", seq, err)
		}
		for sub, first := range map[*tone.Subscription]uint64{a: 4, b: 104} {
			all := rest(sub)
			for i, e := range all {
				if e.Seq != first+uint64(i) || e.Lost != 0 {
					t.Fatalf("tone %d has number %d, %d lost", i, e.Seq, e.Lost)
				}
			}
			last := all[len(all)-1]
			if last.Seq != 104 || last.Tone != tone.Flash || last.Participant != "alice" || !last.Time.Equal(before) {
				t.Errorf("the last is %+v", last)
			}
		}
	})
}

func TestASlowSubscriptionLosesTheOldestAndCountsThem(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	slow, quick := s.Subscribe(), s.Subscribe()
	got := 0
	for range 1000 {
		press(t, &s, 1)
		got += len(rest(quick))
	}
	if got != 1000 || quick.Lost() != 0 {
		t.Errorf("the quick one got %d, lost %d", got, quick.Lost())
	}
	all := rest(slow)
	if len(all) != 256 || all[0].Seq != 745 || all[0].Lost != 744 || all[1].Lost != 0 || all[255].Seq != 1000 {
		t.Errorf("%d kept, first %+v", len(all), all[0])
	}
	press(t, &s, 257)
	if all = rest(slow); all[0].Lost != 1 || slow.Lost() != 745 {
		t.Errorf("lost %d more, %d in all", all[0].Lost, slow.Lost())
	}
	press(t, &s, 256)
	if all = rest(slow); len(all) != 256 || all[0].Lost != 0 {
		t.Errorf("at the bound %d kept, %d lost", len(all), all[0].Lost)
	}
}

func TestAfterTheEndWhatIsLeftIsRead(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	a, b := s.Subscribe(), s.Subscribe()
	press(t, &s, 2)
	rest(b)
	s.End()
	s.End()
	if _, err := s.Publish(tone.A); !errors.Is(err, tone.ErrEnded) {
		t.Errorf("Publish: %v, want ErrEnded", err)
	}
	if a.Err() != nil || !errors.Is(b.Err(), tone.ErrEnded) {
		t.Errorf("with two left: %v, with none: %v", a.Err(), b.Err())
	}
	for seq := uint64(1); seq <= 2; seq++ {
		if e, err := a.Next(t.Context()); err != nil || e.Seq != seq {
			t.Errorf("%+v, %v", e, err)
		}
	}
	for _, sub := range []*tone.Subscription{a, b, s.Subscribe()} {
		if _, err := sub.Next(t.Context()); !errors.Is(err, tone.ErrEnded) {
			t.Errorf("Next: %v, want ErrEnded", err)
		}
		<-sub.Ready()
		<-sub.Done()
		<-sub.Ready() // for ever
	}
}

func TestNextWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		sub := s.Subscribe()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		if _, err := sub.Next(ctx); err == nil || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("%v, want the cause", err)
		}
		press(t, &s, 1)
		if e, err := sub.Next(ctx); err != nil || e.Seq != 1 {
			t.Errorf("what is there, with a dead context: %+v, %v", e, err)
		}
		time.AfterFunc(time.Second, func() { press(t, &s, 1) })
		if e, err := sub.Next(t.Context()); err != nil || e.Seq != 2 {
			t.Errorf("%+v, %v", e, err)
		}
		time.AfterFunc(time.Second, sub.Close)
		if _, err := sub.Next(t.Context()); !errors.Is(err, tone.ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
		if _, err := sub.Next(nil); err == nil { //nolint:staticcheck // what if
			t.Error("a nil context is no error")
		}
		<-sub.Done()
	})
}

// Several readers of one subscription, each tone to one of them, and no wake-up is lost.
func TestReadersShareASubscription(t *testing.T) {
	t.Parallel()
	for range 50 {
		var s tone.Stream
		sub := s.Subscribe()
		var mu sync.Mutex
		var got []uint64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					e, err := sub.Next(t.Context())
					if err != nil {
						if !errors.Is(err, tone.ErrEnded) {
							t.Errorf("Next: %v", err)
						}
						return
					}
					mu.Lock()
					got = append(got, e.Seq)
					mu.Unlock()
				}
			})
		}
		press(t, &s, 200)
		s.End()
		wg.Wait()
		slices.Sort(got)
		if len(got) != 200 || got[0] != 1 || got[199] != 200 || len(slices.Compact(got)) != 200 {
			t.Fatalf("%d tones were read", len(got))
		}
	}
}

// Two readers share a subscription, and two tones come before either has looked: whoever takes the
// first one wakes the other.
func TestNextDoesNotWaitForAToneThatIsThere(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	ready := sub.Ready()
	press(t, &s, 2)
	for want := uint64(1); want <= 2; want++ {
		select {
		case <-ready:
		default:
			t.Fatalf("tone %d is there, and its reader would wait", want)
		}
		if e, ok := sub.TryNext(); !ok || e.Seq != want {
			t.Errorf("read %d, %v, want %d", e.Seq, ok, want)
		}
	}
}

func TestAReadyChannelServesASelect(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	sub := s.Subscribe()
	go func() {
		for range 500 {
			s.Publish(tone.Star)
		}
		s.End()
	}()
	n := 0
	for sub.Err() == nil {
		select {
		case <-sub.Ready():
			n += len(rest(sub))
		case <-t.Context().Done():
			t.Fatal("a wake-up was lost")
		}
	}
	if n+int(sub.Lost()) != 500 {
		t.Errorf("%d tones and %d lost, want 500", n, sub.Lost())
	}
}

func TestHandlersGetTheirTonesInOrderOneAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		var got []uint64
		busy := false
		set := tone.SetOf(tone.Tone1, tone.Pound)
		sub, err := s.Handle(set, func(e tone.Event) {
			if busy || !set.Contains(e.Tone) || e.Lost != 0 {
				t.Errorf("busy %v, %+v", busy, e)
			}
			busy = true
			time.Sleep(time.Millisecond)
			s.Subscribe().Close() // re-enters
			got = append(got, e.Seq)
			busy = false
		})
		if err != nil {
			t.Fatal(err)
		}
		press(t, &s, 100)
		time.Sleep(time.Second)
		press(t, &s, 100)
		s.End()
		<-sub.Done()
		if len(got) != 20 || !slices.IsSorted(got) || got[0] != 2 || got[19] != 192 {
			t.Errorf("handled %v", got)
		}
	})
}

func TestASlowHandlerGetsTheNumberOfLostTones(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		release := make(chan struct{})
		var lost []uint64
		sub, _ := s.Handle(tone.SetOf(tone.Star, tone.Pound), func(e tone.Event) {
			lost = append(lost, e.Lost)
			<-release
		})
		s.Publish(tone.Star)
		synctest.Wait()
		press(t, &s, 300) // none of the set: 44 too many
		close(release)
		synctest.Wait()
		s.Publish(tone.Pound)
		synctest.Wait()
		if !slices.Equal(lost, []uint64{0, 44}) || sub.Lost() != 44 {
			t.Errorf("got %v, %d in all", lost, sub.Lost())
		}
		s.End()
	})
}

func TestAPanicOrExitOfAHandlerLosesOnlyItsTone(t *testing.T) {
	old := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	defer slog.SetDefault(old)
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		n := 0
		sub, _ := s.Handle(tone.All, func(tone.Event) {
			switch n++; n % 3 {
			case 0:
				panic("handler")
			case 1:
				runtime.Goexit()
			}
		})
		press(t, &s, 60)
		s.End()
		<-sub.Done()
		if n != 60 {
			t.Errorf("%d handled, want 60", n)
		}
	})
}

// What is logged of a handler never has the tone: it may be a digit of somebody's PIN.
func TestALogNeverHasTheTone(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	var s tone.Stream
	sub, _ := s.Handle(tone.All, func(e tone.Event) {
		if e.Seq == 1 {
			panic(fmt.Sprintf("key %v", e.Tone))
		}
		runtime.Goexit()
	})
	s.Publish(tone.Flash)
	s.Publish(tone.Flash)
	s.End()
	<-sub.Done()
	if text := log.String(); strings.Contains(text, "flash") || strings.Contains(text, "key") ||
		!strings.Contains(text, "panicked with a string") || !strings.Contains(text, "exited its goroutine") ||
		!strings.Contains(text, "TestALogNeverHasTheTone") {
		t.Errorf("logged\n%s", text)
	}
}

func TestNoCallBeginsAfterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		release := make(chan struct{})
		n := 0
		sub, _ := s.Handle(tone.All, func(tone.Event) { n++; <-release })
		press(t, &s, 5)
		synctest.Wait()
		sub.Close()
		sub.Close()
		press(t, &s, 5)
		select {
		case <-sub.Done():
			t.Error("done while a call is under way")
		default:
		}
		close(release)
		<-sub.Done()
		if n != 1 || !errors.Is(sub.Err(), tone.ErrClosed) {
			t.Errorf("%d calls, %v", n, sub.Err())
		}
	})
}

// A handler that blocks is nothing to the publisher, nor to other subscriptions.
func TestPublishDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s tone.Stream
		release := make(chan struct{})
		defer close(release)
		s.Handle(tone.All, func(tone.Event) { <-release })
		s.Subscribe() // never read
		quick := s.Subscribe()
		for range 1000 {
			press(t, &s, 1)
			if got := rest(quick); len(got) != 1 || got[0].Lost != 0 {
				t.Fatalf("got %v", got)
			}
		}
		s.End()
	})
}

func TestHandleNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	var s tone.Stream
	for _, c := range []struct {
		set tone.Set
		f   func(tone.Event)
	}{{tone.All, nil}, {0, func(tone.Event) {}}, {1 << 31, func(tone.Event) {}}, {tone.All | 1, func(tone.Event) {}}} {
		if sub, err := s.Handle(c.set, c.f); err == nil || sub != nil {
			t.Errorf("set %#x: %v, %v", uint32(c.set), sub, err)
		}
	}
}

func TestAnIdleStreamIsSmall(t *testing.T) {
	t.Parallel()
	if n := unsafe.Sizeof(tone.Stream{}); n > 48 {
		t.Errorf("%d bytes, want at most 48", n)
	}
	var s tone.Stream
	press(t, &s, 300)
	if n := s.Slots(); n != 0 {
		t.Errorf("%d slots without a subscription", n)
	}
	sub, other := s.Subscribe(), s.Subscribe()
	press(t, &s, 300)
	if n := s.Slots(); n != 256 {
		t.Errorf("%d slots, want 256", n)
	}
	rest(sub)
	if n := s.Slots(); n != 256 {
		t.Errorf("%d slots while another has not read", n)
	}
	rest(other)
	if n := s.Slots(); n > 8 {
		t.Errorf("%d slots when all have read", n)
	}
	press(t, &s, 5)
	rest(sub)
	rest(other)
	if n := s.Slots(); n > 8 {
		t.Errorf("%d slots, want at most 8", n)
	}
	sub.Close()
	other.Close()
	if n := s.Slots(); n != 0 {
		t.Errorf("%d slots when the last subscription is closed", n)
	}
}

func TestAToneCostsNoAllocation(t *testing.T) {
	var s tone.Stream
	sub := s.Subscribe()
	sub.Ready()
	if n := testing.AllocsPerRun(1000, func() {
		s.Publish(tone.Tone5)
		if _, ok := sub.TryNext(); !ok {
			t.Fatal("no tone")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
