package goroutines_test

import (
	"sync"
	"testing"

	"ivrqueue/internal/goroutines"
	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) { leak.Verify(m) }

// However many come and go meanwhile. (That a goroutine has done its work does not mean that it has
// gone: there is no number that must not be exceeded.)
func TestCountMissesNone(t *testing.T) { //nolint:paralleltest // counts goroutines
	const held, passing = 1000, 70
	hold, stop := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for range held {
		all.Go(func() { <-hold })
	}
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				var passed sync.WaitGroup
				for range passing {
					passed.Go(func() {})
				}
				passed.Wait()
			}
		}
	})
	for range 200 {
		if n := goroutines.Count(); n < held+1 {
			t.Fatalf("%d goroutines, want %d at least", n, held+1)
		}
	}
	close(stop)
	close(hold)
	all.Wait()
}
