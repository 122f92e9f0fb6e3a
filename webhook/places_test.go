package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/webhook"
)

// A slow host leaves places for others, whoever its applications are, and so do slow applications
// whatever their hosts are.
func TestPlacesAreLeftForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := webhook.NewPlaces(100)
		got := func(application, host string) (n int) {
			for {
				ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
				err := p.Enter(ctx, application, host)
				cancel()
				if err != nil {
					return n
				}
				n++
			}
		}
		equal(t, "of an application", got("a", "x"), 50)
		equal(t, "of another on the same host", got("b", "x"), 25)
		equal(t, "of a third on the same host", got("c", "x"), 0)
		equal(t, "of a third", got("c", "y"), 13)
		equal(t, "of a fourth", got("d", "y"), 6)
		for range 50 {
			p.Leave("a", "x")
		}
		for range 25 {
			p.Leave("b", "x")
		}
		for range 13 {
			p.Leave("c", "y")
		}
		for range 6 {
			p.Leave("d", "y")
		}
		equal(t, "left", p.String(), "100 free, 0 applications, 0 hosts, 0 waiting")
	})
}

// Who waits comes in as soon as there is a place for it; of several the first that came. Whoever stops
// waiting leaves nothing.
func TestPlacesAreGivenInTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := webhook.NewPlaces(4)
		enter := func(application string) {
			if err := p.Enter(t.Context(), application, application); err != nil {
				t.Error(err)
			}
		}
		for _, application := range []string{"a", "a", "b", "c"} {
			enter(application)
		}
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		for _, application := range []string{"a", "d", "b", "e"} {
			all.Go(func() {
				enter(application)
				mu.Lock()
				order = append(order, application)
				mu.Unlock()
			})
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Enter(ctx, "f", "f"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		for _, application := range []string{"a", "c", "b", "d", "e", "a", "b", "a"} {
			p.Leave(application, application)
			synctest.Wait()
		}
		all.Wait()
		equal(t, "order", order, []string{"d", "e", "b", "a"})
		equal(t, "left", p.String(), "4 free, 0 applications, 0 hosts, 0 waiting")
	})
}

// Whoever loses patience at the moment when it gets a place gives the place back.
func TestAPlaceThatComesTooLateIsGivenBack(t *testing.T) {
	t.Parallel()
	late := 0
	for range 100 {
		p := webhook.NewPlaces(1)
		if err := p.Enter(t.Context(), "a", "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Enter(lateContext{ctx, func() { p.Leave("a", "a") }}, "b", "b"); err != nil {
			late++
		} else {
			p.Leave("b", "b")
		}
		equal(t, "left", p.String(), "1 free, 0 applications, 0 hosts, 0 waiting")
	}
	if late == 0 || late == 100 {
		t.Errorf("%d of 100 were late", late)
	}
}

// lateContext has ended, and does something when it is asked for that.
type lateContext struct {
	context.Context

	asked func()
}

func (c lateContext) Done() <-chan struct{} {
	c.asked()
	return c.Context.Done()
}

// Many wait, come, go, and lose patience: there are never more than there are places, and all places
// are free in the end.
func TestPlacesAddUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			n := 1 + random.IntN(8)
			p := webhook.NewPlaces(n)
			var in, patient atomic.Int32
			var all sync.WaitGroup
			for range 200 {
				application, host := fmt.Sprint("a", random.IntN(4)), fmt.Sprint("h", random.IntN(3))
				begin, stay := time.Duration(random.IntN(1000)), time.Duration(random.IntN(100))
				patience := time.Hour
				if random.IntN(3) == 0 {
					patience = time.Duration(random.IntN(200))
				}
				all.Go(func() {
					time.Sleep(begin)
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					if p.Enter(ctx, application, host) != nil {
						if patience == time.Hour {
							patient.Add(1)
						}
						return
					}
					if in.Add(1) > int32(n) {
						t.Errorf("seed %d: too many", seed)
					}
					time.Sleep(stay)
					in.Add(-1)
					p.Leave(application, host)
				})
			}
			all.Wait()
			if got, want := p.String(), fmt.Sprintf("%d free, 0 applications, 0 hosts, 0 waiting", n); got != want || patient.Load() > 0 {
				t.Errorf("seed %d: got %s, want %s; %d waited for an hour", seed, got, want, patient.Load())
			}
		})
	}
}

// silent is a context that has ended and does not say why.
type silent struct{ context.Context }

func (silent) Done() <-chan struct{} {
	ended := make(chan struct{})
	close(ended)
	return ended
}

// A context that ends without an error of its own does not make a place.
func TestAContextThatDoesNotSayWhyItEndsIsAnError(t *testing.T) {
	t.Parallel()
	p := webhook.NewPlaces(4)
	ctx := silent{context.Background()}
	var taken int
	for p.Enter(ctx, "a", "x") == nil {
		if taken++; taken > 4 {
			t.Fatalf("%d of 4 places are taken", taken)
		}
	}
}
