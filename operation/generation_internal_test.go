package operation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// How a reader finds out about a generation that is linked is a protocol of two words without a
// lock. It is explored here: the reader itself, with every script of what a queue may store, and
// every step of the script at every place between two of its loads. What it says must have been so
// at some instant between its begin and its end.

// store is one atomic store of a queue.
type store uint8

const (
	protect   store = iota // the first protected operation comes: link
	endLinked              // end the unprotected ones
	endAll
)

var storeNames = [...]string{protect: "protect", endLinked: "end the unprotected", endAll: "end all"}

// world is a generation of unprotected operations, and the one of the protected, if there is one.
type world struct {
	linked, all *Generation
	reason      Reason // of the linked one, as it is at this instant
}

// apply does a store. Each end has a reason of its own.
func (w *world) apply(s store, r Reason) {
	switch s {
	case protect:
		w.all = new(Generation)
		w.linked.Link(w.all)
	case endLinked:
		w.linked.End(r, nil, time.Time{}, 0)
	case endAll:
		w.all.End(r, nil, time.Time{}, 0)
	}
	if w.reason == 0 && s != protect {
		w.reason = r
	}
}

// scripts returns every list of stores that a queue may do, up to a length. When no protected
// operation is left, it forgets their generation, and may make another one.
func scripts(length int) (all [][]store) {
	var extend func(script []store, linkedLive, allLive bool)
	extend = func(script []store, linkedLive, allLive bool) {
		all = append(all, script)
		if len(script) == length {
			return
		}
		script = slices.Clip(script)
		if linkedLive {
			extend(append(script, protect), true, true)
			extend(append(script, endLinked), false, allLive)
		}
		if allLive {
			extend(append(script, endAll), false, false)
		}
	}
	extend(nil, true, false)
	return all
}

type follower func(g *Generation, end *generationEnd, load func(*Generation) *generationEnd) *generationEnd

// read has a reader read while a script is played, of which before[i] steps come before its i-th
// load. It returns what is wrong.
func read(script []store, before []int, f follower) error {
	w := world{linked: new(Generation)}
	done, loads := 0, 0
	var could []Reason // at the instants since the first load
	step := func(n int) {
		for ; n > 0 && done < len(script); n-- {
			w.apply(script[done], Reason(1+done)) //nolint:gosec // few
			done++
			could = append(could, w.reason)
		}
	}
	step(before[0])
	could = []Reason{w.reason}
	end := f(w.linked, load(w.linked), func(g *Generation) *generationEnd {
		if loads++; loads < len(before) {
			step(before[loads])
		}
		return load(g)
	})
	var got Reason
	if end != nil {
		got = end.reason
	}
	if slices.Contains(could, got) {
		return nil
	}
	text := make([]string, len(script))
	for i, s := range script {
		text[i] = storeNames[s]
	}
	return fmt.Errorf("%s, %v of it before the loads: the end of step %d was read, and in between it was %d",
		strings.Join(text, ", "), before, uint8(got), could)
}

// explore reads in every way, and returns what is wrong first.
func explore(f follower) (ways int, err error) {
	const loads = 7
	for _, script := range scripts(5) {
		before := make([]int, loads)
		var place func(at, left int)
		place = func(at, left int) {
			if at == loads {
				ways++
				if wrong := read(script, before, f); wrong != nil && err == nil {
					err = wrong
				}
				return
			}
			for n := range left + 1 {
				before[at] = n
				place(at+1, left-n)
			}
			before[at] = 0
		}
		place(0, len(script))
	}
	return ways, err
}

func TestAReaderOfALinkedGenerationSeesAnInstant(t *testing.T) {
	t.Parallel()
	ways, err := explore((*Generation).follow)
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d ways", ways)
	if ways < 5000 {
		t.Errorf("%d ways, and more were meant", ways)
	}
}

// What the exploration is worth: readers that leave something out are found.
func TestAReaderThatLeavesSomethingOutIsFound(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]follower{
		"it does not look again": func(
			_ *Generation, end *generationEnd, load func(*Generation) *generationEnd,
		) *generationEnd {
			if end == nil || end.link == nil {
				return end
			}
			return load(end.link)
		},
		"it takes a link for an end": func(
			_ *Generation, end *generationEnd, _ func(*Generation) *generationEnd,
		) *generationEnd {
			return end
		},
		"it takes a link for life": func(
			_ *Generation, end *generationEnd, _ func(*Generation) *generationEnd,
		) *generationEnd {
			if end != nil && end.link != nil {
				return nil
			}
			return end
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := explore(f); err == nil {
				t.Error("it was not found")
			}
		})
	}
}
