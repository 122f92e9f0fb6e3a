package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checked is a benchmark that both trees have.
type checked struct {
	name    string
	pick    int
	pairs   map[string][]pair // by unit
	suspect bool              // a series has said that it is worse: these are another one's
	rounds  int               // of this series
}

// check compares two trees.
type check struct {
	reference, today runner
	rounds           int           // at most
	limit            time.Duration // after which no round begins, once there were worseRounds
	now              func() time.Time
	late             bool // the limit is over

	both      []*checked
	new, gone []string
}

// run runs rounds until everything is decided, or until there were enough.
func (c *check) run(ctx context.Context) error {
	begin := c.now()
	for round := range c.rounds {
		c.late = round >= worseRounds && c.now().Sub(begin) > c.limit
		open := 0
		for i, p := range picks {
			n, err := c.round(ctx, round, i, p)
			if err != nil {
				return err
			}
			open += n
		}
		if open == 0 {
			break
		}
	}
	if len(c.both) == 0 {
		return errors.New("the two trees have no benchmark in common")
	}
	return nil
}

// round runs what is undecided of a pick in both trees, and returns how many benchmarks that were.
// Each tree has two turns.
func (c *check) round(ctx context.Context, round, i int, p pick) (ran int, err error) {
	if round > 0 {
		open := c.open(i)
		if len(open) == 0 {
			return 0, nil
		}
		p.pattern = exactly(open)
	}
	trees := [2]runner{c.reference, c.today}
	var got [2]samples
	for _, who := range []int{0, 1, 1, 0} { // fair while the machine gets slower or faster
		more, err := trees[(who+round)%2](ctx, p)
		if err != nil {
			return 0, err
		}
		got[(who+round)%2] = got[(who+round)%2].with(more)
	}
	reference, today := got[0].figures(), got[1].figures()
	if round == 0 {
		if len(today) == 0 {
			return 0, fmt.Errorf("no benchmark is called %s", p.pattern)
		}
		c.meet(i, reference, today)
	}
	for _, b := range c.both {
		if _, ran := today[b.name]; ran && b.pick == i {
			b.add(reference[b.name], today[b.name])
		}
	}
	return len(today), nil
}

// meet notes which benchmarks of a pick there are in both trees, and which in one.
func (c *check) meet(i int, reference, today map[string]figures) {
	for name := range today {
		if _, ok := reference[name]; ok {
			c.both = append(c.both, &checked{name: name, pick: i, pairs: map[string][]pair{}})
		} else {
			c.new = append(c.new, name)
		}
	}
	for name := range reference {
		if _, ok := today[name]; !ok {
			c.gone = append(c.gone, name)
		}
	}
	slices.SortFunc(c.both, func(a, b *checked) int { return slices.Compare(a.order(), b.order()) })
	slices.Sort(c.new)
	slices.Sort(c.gone)
}

// order sorts benchmarks by pick and function, and those of one function by length: depth=10 before
// depth=1000.
func (b *checked) order() []string {
	function, _, _ := strings.Cut(b.name, "/")
	return []string{strconv.Itoa(b.pick), function, fmt.Sprintf("%3d", len(b.name)), b.name}
}

// add adds a round. The first series of rounds that says that something became worse is only a
// suspicion: looked at after each round, and for many benchmarks, one says so once in a while
// though nothing has changed. It is forgotten, and the verdict is that of a series of its own.
func (b *checked) add(reference, today figures) {
	for unit, ref := range reference {
		if now, ok := today[unit]; ok {
			b.pairs[unit] = append(b.pairs[unit], pair{ref, now})
		}
	}
	b.rounds++
	if !b.suspect && b.verdict() == worse {
		b.suspect, b.pairs, b.rounds = true, map[string][]pair{}, 0
	}
}

// open returns the benchmarks of a pick that are undecided. When it is late these are only those
// under suspicion, for as long as it may take to confirm that.
func (c *check) open(i int) (names []string) {
	for _, b := range c.both {
		more := !c.late || b.suspect && b.rounds < 2*worseRounds
		if b.pick == i && b.verdict() == undecided && more {
			names = append(names, b.name)
		}
	}
	return names
}

// judged is one figure of a benchmark with its verdict.
type judged struct {
	change
	verdict

	unit             string
	reference, today float64 // medians
}

// judge returns the figures that are compared: the time, and what is counted. The others say the
// same in another unit.
func (b *checked) judge() (all []judged) {
	units := []string{timeUnit, "allocs/op", "allocs/cancel", "B/op"}
	if b.pairs["B/call"] != nil { // its memory is reported, not how long the calls took to make
		units = []string{"B/call", "goroutines/call"}
	}
	for _, unit := range units {
		pairs := b.pairs[unit]
		if len(pairs) == 0 {
			continue
		}
		j := judged{unit: unit}
		j.reference = median(each(pairs, func(p pair) float64 { return p.reference }))
		j.today = median(each(pairs, func(p pair) float64 { return p.today }))
		switch unit {
		case timeUnit:
			j.change, j.verdict = judgeTime(pairs)
		case "B/op", "B/call":
			j.change, j.verdict = judgeCount(pairs, max(2, j.reference/50))
		default:
			j.change, j.verdict = judgeCount(pairs, max(0.5, j.reference/100))
		}
		all = append(all, j)
	}
	return all
}

// verdict returns that of all its figures: the worst, or undecided if one is.
func (b *checked) verdict() verdict {
	if b.rounds == 0 {
		return undecided
	}
	v := same
	for _, j := range b.judge() {
		switch j.verdict {
		case worse:
			return worse
		case undecided:
			v = undecided
		case same:
		}
	}
	return v
}

func each(pairs []pair, f func(pair) float64) []float64 {
	values := make([]float64, len(pairs))
	for i, p := range pairs {
		values[i] = f(p)
	}
	return values
}
