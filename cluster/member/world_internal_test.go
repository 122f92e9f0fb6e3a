package member

import (
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// world is a cluster of machines with a network that loses, delays, doubles and reorders, and with
// clocks that run apart. It has one true time, which no machine sees, and plays what a seed draws.
type world struct {
	rand   *rand.Rand
	timing Timing
	now    time.Duration // true
	todo   schedule
	count  int // of what was scheduled: a tie is broken by it

	procs []*proc    // of all nodes, and of all times
	cut   [][]bool   // by sender and receiver
	loss  float64    // of messages
	late  float64    // of messages, by up to 5 s
	twice float64    // of messages
	calls [][16]byte // of every epoch

	jumps bool // clocks jump; then their rates differ by a tenth, else by almost a half
	begun map[begun]*proc
	trace []string
	err   error
}

// proc is one process of a node.
type proc struct {
	*machine

	w      *world
	name   int // index of its node
	rate   float64
	offset time.Duration // of its clock

	gone    bool // killed, left or failed
	paused  bool
	jumped  time.Duration // true time
	unread  []func()
	heldTo  Epoch           // the latest that it began
	reached []time.Duration // by node, on its clock: the last beat that it could have got
}

// happening is something that is to happen at a time.
type happening struct {
	at  time.Duration
	n   int
	run func()
}

type schedule []happening

func (s *schedule) Len() int { return len(*s) }
func (s *schedule) Less(i, j int) bool {
	a, b := &(*s)[i], &(*s)[j]
	return a.at < b.at || a.at == b.at && a.n < b.n
}
func (s *schedule) Swap(i, j int) { (*s)[i], (*s)[j] = (*s)[j], (*s)[i] }
func (s *schedule) Push(x any)    { *s = append(*s, x.(happening)) }
func (s *schedule) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	(*s)[last].run = nil
	*s = (*s)[:last]
	return x
}

// newWorld makes a cluster of n nodes, all of which start at once.
func newWorld(seed uint64, n int) *world {
	w := &world{
		rand:   rand.New(rand.NewPCG(seed, 1)),
		timing: Timing{Beat: DefaultBeat, Lease: DefaultLease, Death: DefaultDeath},
		begun:  map[begun]*proc{},
	}
	for range n {
		w.cut = append(w.cut, make([]bool, n))
	}
	for range 16 {
		var call [16]byte
		for i := range call {
			call[i] = byte(w.rand.Uint32())
		}
		w.calls = append(w.calls, call)
	}
	w.jumps = w.rand.IntN(2) == 0
	for i := range n {
		w.start(i)
	}
	return w
}

func (w *world) nodes() int { return len(w.cut) }

func (w *world) after(d time.Duration, run func()) {
	w.count++
	heap.Push(&w.todo, happening{w.now + d, w.count, run})
}

// run lets time pass, until something is wrong.
func (w *world) run(d time.Duration) {
	for end := w.now + d; w.err == nil; {
		if len(w.todo) == 0 || w.todo[0].at > end {
			w.now = end
			return
		}
		next := heap.Pop(&w.todo).(happening)
		w.now = next.at
		next.run()
		w.check()
	}
}

func (w *world) log(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%9.4f ", w.now.Seconds())+fmt.Sprintf(format, args...))
}

func (w *world) wrong(format string, args ...any) {
	if w.err == nil {
		w.log(format, args...)
		w.err = fmt.Errorf(format, args...)
	}
}

func (w *world) duration(most time.Duration) time.Duration {
	return time.Duration(w.rand.Int64N(int64(most)))
}

// start starts a process of a node. Its first epoch is the true time in seconds.
func (w *world) start(node int) *proc {
	p := &proc{
		w: w, name: node, rate: w.rate(),
		offset: 1 + w.duration(time.Hour), reached: make([]time.Duration, w.nodes()),
	}
	first, listen := nextEpoch(time.Unix(1000, 0).Add(w.now))
	s := setup{
		self: node, nodes: w.nodes(), config: "same", timing: w.timing,
		listen: time.Duration(float64(listen)*p.rate) + 1,
	}
	p.machine = newMachine(s, w.rand.Uint64()|1, first, p.clock())
	w.procs = append(w.procs, p)
	w.log("%v starts", p)
	w.after(w.duration(50*time.Millisecond), p.tick)
	return p
}

// startAgain starts a process of a node that has none.
func (w *world) startAgain(node int) {
	if !slices.ContainsFunc(w.living(), func(p *proc) bool { return p.name == node }) {
		w.start(node)
	}
}

// rate draws how fast a clock goes.
func (w *world) rate() float64 {
	if w.jumps {
		return 0.95 + 0.1*w.rand.Float64()
	}
	return 0.81 + 0.38*w.rand.Float64()
}

// clock reads the clock of a process.
func (p *proc) clock() time.Duration {
	return p.offset + time.Duration(float64(p.w.now)*p.rate)
}

func (p *proc) String() string {
	return fmt.Sprintf("%c.%d", 'a'+p.name, p.boot%1000)
}

// holds is what Holds would return.
func (p *proc) holds() bool { return !p.gone && p.held && p.clock() < p.until() }

// do gives the process an input, now or when it goes on.
func (p *proc) do(input func()) {
	switch {
	case p.gone:
	case p.paused:
		if len(p.unread) < maxUnread {
			p.unread = append(p.unread, input)
		}
	default:
		epoch, held := p.epoch, p.held
		input()
		if held && (!p.held || p.epoch != epoch) {
			p.w.log("%v is fenced, epoch %d", p, epoch)
		}
		if p.held && (!held || p.epoch != epoch) {
			p.w.log("%v begins, epoch %d", p, p.epoch)
			if p.epoch <= p.heldTo || p.w.begun[begun{p.name, p.epoch}] != nil {
				p.w.wrong("%v began epoch %d twice", p, p.epoch)
			}
			p.heldTo = p.epoch
			p.w.begun[begun{p.name, p.epoch}] = p
		}
		if p.failure != 0 {
			p.w.log("%v fails", p)
			p.gone = true
		}
	}
}

func (p *proc) tick() {
	if p.gone {
		return
	}
	p.w.after(40*time.Millisecond+p.w.duration(20*time.Millisecond), p.tick)
	if p.paused {
		return
	}
	p.do(func() {
		if b, due := p.machine.tick(p.clock()); due {
			p.send(b)
		}
	})
}

// send publishes a beat.
func (p *proc) send(b beat) {
	for to := range p.w.nodes() {
		if !p.w.cut[p.name][to] {
			p.reached[to] = b.Sent
		}
		p.w.deliver(p.name, to, func(q *proc) {
			if q.boot == b.Boot {
				return
			}
			a := q.hear(p.name, b, q.clock())
			p.w.deliver(to, p.name, func(r *proc) { r.receive(to, a, r.clock()) })
		})
	}
}

// deliver gives a message to every process of a node, unless it is lost.
func (w *world) deliver(from, to int, receive func(*proc)) {
	if from != to && w.cut[from][to] || w.rand.Float64() < w.loss {
		return
	}
	copies := 1
	if w.rand.Float64() < w.twice {
		copies = 2
	}
	for range copies {
		delay := 100*time.Microsecond + w.duration(10*time.Millisecond)
		if w.rand.Float64() < w.late {
			delay += w.duration(5 * time.Second)
		}
		w.after(delay, func() {
			for _, p := range w.procs {
				if p.name == to {
					p.do(func() { receive(p) })
				}
			}
		})
	}
}

func (p *proc) kill() {
	p.w.log("%v is killed", p)
	p.gone = true
}

func (p *proc) leaves() {
	p.do(func() {
		p.w.log("%v leaves", p)
		p.send(p.leave(p.clock()))
		p.gone = true
	})
}

func (p *proc) pause(d time.Duration) {
	p.w.log("%v is paused for %v", p, d)
	p.paused = true
	p.w.after(d, func() {
		p.paused = false
		p.w.log("%v goes on", p)
		unread := p.unread
		p.unread = nil
		if p.w.rand.Float64() < 0.5 { // the ticker may be first, or what waits in the socket
			p.do(func() { p.machine.tick(p.clock()) })
		}
		for _, input := range unread {
			p.do(input)
		}
	})
}

// living returns the processes that run, or could.
func (w *world) living() []*proc {
	return slices.DeleteFunc(slices.Clone(w.procs), func(p *proc) bool { return p.gone })
}

// seen is what the invariants look at: the processes that live.
func (w *world) seen() (all []living) {
	for _, p := range w.procs {
		if p.gone {
			continue
		}
		all = append(all, living{p, p.machine, p.clock()})
	}
	return all
}

// check asks whether the promises hold at this instant.
func (w *world) check() {
	if err := violated(w.seen()); err != nil {
		w.wrong("%v", err)
	}
	var room [MaxNodes]time.Duration
	for _, p := range w.procs {
		if !p.holds() {
			continue
		}
		reached := append(room[:0], p.reached...)
		reached[p.name] = p.clock()
		if last := quorum(reached); w.nodes() > 1 && p.clock() >= last+w.timing.Lease {
			w.wrong("%v holds epoch %d, %v after a majority could last hear it", p, p.epoch, p.clock()-last)
		}
	}
}

// heal ends all faults, and starts a process of each node that has none.
func (w *world) heal() {
	w.log("all is well again")
	w.loss, w.late, w.twice = 0, 0, 0
	for _, row := range w.cut {
		clear(row)
	}
	for node := range w.nodes() {
		w.startAgain(node)
	}
}

// checkHealed asks whether every node holds, and all agree on who is heir to what.
func (w *world) checkHealed() {
	if err := unhealed(w.seen(), slices.Collect(maps.Keys(w.begun)), w.calls); err != nil {
		w.wrong("%v", err)
	}
}

func (w *world) String() string { return strings.Join(w.trace, "\n") }
