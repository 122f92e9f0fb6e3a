package queue_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/internal/trace"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// The simulation plays a call in a bubble, whose clock it makes a scheduler: at each seam of the
// engine, and wherever its own goroutines begin or wake up, they sleep for a time that is drawn from
// the seed. So the seed decides who is next, and replays. What happens is recorded, and judged by
// package trace.
//
//	SIM_SEEDS=5000 go test -run TestSimulation ./queue       # that many seeds
//	SIM_SEED=17    go test -run TestSimulation -v ./queue    # this one, with its trace

// times of a simulation, in fake nanoseconds.
const (
	simSeam        = 10 * time.Microsecond // at most, at a seam
	simWork        = 100 * time.Microsecond
	simStopTimeout = 150 * time.Microsecond
	simLong        = 400 * time.Microsecond // longer than the stop timeout
)

func TestSimulation(t *testing.T) {
	t.Parallel()
	seeds := uint64(400)
	if s := os.Getenv("SIM_SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("SIM_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for at, i := range judgeSeed(t, seed) {
			t.Log(at, i)
		}
		return
	}
	for _, seed := range failedBefore(t) {
		judgeSeed(t, seed)
	}
	for seed := range seeds {
		if judgeSeed(t, seed); t.Failed() {
			return
		}
	}
}

// failedBefore returns the seeds that have found a bug once.
func failedBefore(t *testing.T) (seeds []uint64) {
	t.Helper()
	f, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, seed)
	}
	return seeds
}

// judgeSeed runs a seed and says what was violated.
func judgeSeed(t *testing.T, seed uint64) []trace.Item {
	t.Helper()
	items := simulate(t, seed)
	for _, v := range trace.Check(items) {
		t.Errorf("%v", v)
	}
	if t.Failed() {
		t.Errorf("replay it: SIM_SEED=%d go test -run TestSimulation -v ./queue; and add it to queue/testdata/seeds.txt", seed)
	}
	return items
}

// A seed replays exactly.
func TestASeedReplays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		a, b := simulate(t, seed), simulate(t, seed)
		for at := range min(len(a), len(b)) {
			a[at].Time, b[at].Time = time.Time{}, time.Time{}
			if a[at].String() != b[at].String() {
				t.Fatalf("seed %d, item %d: %v, then %v", seed, at, a[at], b[at])
			}
		}
		if len(a) != len(b) {
			t.Fatalf("seed %d: %d items, then %d", seed, len(a), len(b))
		}
	}
}

// simulate plays the call of a seed, and returns its trace.
func simulate(t *testing.T, seed uint64) []trace.Item {
	t.Helper()
	s := &simulation{seed: seed, draw: rand.New(rand.NewPCG(seed, 1)), start: time.Time{}}
	synctest.Test(t, func(t *testing.T) { s.play(t) })
	return s.Items()
}

// simulation is one call.
type simulation struct {
	trace.Recorder

	seed   uint64
	draw   *rand.Rand // for the setup; every goroutine has one of its own
	start  time.Time
	queue  *queue.Queue
	tones  tone.Stream
	inline bool // callbacks must neither block nor exit
	late   sync.WaitGroup

	mu    sync.Mutex // guards the block below
	at    time.Time
	drawn map[uint64]uint64 // at this instant, by who
	ops   []*operation.Operation
}

// pause holds a goroutine up for a time that depends on the seed, the instant, and what the goroutine
// is there for; not on who came first at that instant.
func (s *simulation) pause(as uint64) {
	now := time.Now()
	s.mu.Lock()
	if !now.Equal(s.at) {
		s.at = now
		clear(s.drawn)
	}
	n := s.drawn[as]
	s.drawn[as]++
	s.mu.Unlock()
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], s.seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(now.Sub(s.start)))
	binary.LittleEndian.PutUint64(key[16:], as)
	binary.LittleEndian.PutUint64(key[24:], n)
	time.Sleep(1 + time.Duration(hash(key[:])%uint64(simSeam)))
}

// hash is FNV-1a: the same in every process.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h ^ h>>32
}

// sleep sleeps for up to d, drawn from a goroutine's own source.
func sleep(draw *rand.Rand, d time.Duration) {
	time.Sleep(1 + time.Duration(draw.Int64N(int64(d))))
}

func (s *simulation) source(n uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, n)) }

func (s *simulation) play(t *testing.T) {
	s.start, s.drawn = time.Now(), map[uint64]uint64{}
	opts := []queue.Option{
		quiet, queue.WithSeam(s.pause), queue.WithStopTimeout(simStopTimeout),
		queue.WithMaxPending([]int{0, 1, 3, 8}[s.draw.IntN(4)]),
	}
	if s.draw.IntN(4) == 0 {
		opts = append(opts, queue.WithRunTimeout(simLong))
	}
	s.inline = s.draw.IntN(3) == 0
	judge := &simObserver{s, 0, s.source(100), 0}
	switch {
	case s.inline:
		opts = append(opts, queue.WithInlineMedia(), queue.WithInlineObserver(judge))
	case s.draw.IntN(4) == 0:
		opts = append(opts, queue.WithInlineMedia(), queue.WithObserver(judge))
		s.inline = true
	default:
		opts = append(opts, queue.WithObserver(judge))
	}
	for i := range s.draw.IntN(3) {
		opts = append(opts, queue.WithObserver(&simObserver{s, i + 1, s.source(uint64(101 + i)), s.draw.IntN(6)}))
	}
	var err error
	if s.queue, err = queue.New("call", simMedia{s}, opts...); err != nil {
		t.Fatal(err)
	}
	var all, keys sync.WaitGroup
	for i := range 2 + s.draw.IntN(3) {
		all.Go(func() { s.client(uint64(1+i), 8+s.draw.IntN(1)) })
	}
	for i := range 2 {
		all.Go(func() { s.reader(uint64(20 + i)) })
	}
	s.subscribe(&keys)
	all.Go(func() { s.press(s.source(40)) })
	all.Wait()

	// By now nobody asks for anything: what is in the queue comes to its end by itself.
	time.Sleep(time.Second)
	now := s.queue.Snapshot()
	s.Add(trace.Item{
		What: trace.Quiet, Running: now.Running != nil, Stopping: now.Stopping != nil, Waiting: len(now.Waiting),
	})
	s.close(operation.CallEnded)
	s.tones.End()
	keys.Wait()
	select {
	case <-s.queue.Done():
		s.Add(trace.Item{What: trace.Done})
	case <-time.After(time.Minute):
		t.Errorf("the queue is not done a minute after its Close: %+v", s.queue.Snapshot())
	}
	s.late.Wait()
	time.Sleep(time.Second) // who was the last to leave is still at a seam
}

// client calls everything that a producer can.
func (s *simulation) client(number uint64, calls int) {
	draw := s.source(number)
	sleep(draw, simWork)
	for range calls {
		switch p := draw.IntN(100); {
		case p < 50:
			s.enqueue(draw, number)
		case p < 58:
			s.interrupt(draw)
		case p < 72:
			s.cancelAll()
		case p < 80:
			s.cancel(draw)
		case p < 84:
			s.queue.Snapshot()
		case p < 88:
			s.refused(draw)
		case p < 92:
			s.queue.Operation(s.any(draw).ID())
		case p < 96:
			for range 4 { // a storm
				s.cancelAll()
			}
		case p < 97:
			n := s.Begin(trace.Item{What: trace.Called, Method: trace.Seal})
			s.queue.Seal()
			s.Add(trace.Item{What: trace.Returned, Method: trace.Seal, Number: n})
		case p < 98:
			s.close([]error{nil, operation.ShutDown, errors.New("x")}[draw.IntN(3)])
		default:
			s.read(draw)
		}
		sleep(draw, simWork)
	}
}

// fault is what is wrong with the media of an operation.
type fault struct {
	kind  int
	works time.Duration // how long it plays
}

const (
	endsInside = iota
	endsLater
	endsLaterToo // more of them
	endsWithError
	panics
	exits
	blocksInStart
	blocksInStop
	ignoresStop
	reportsTwice
	reportsLate
	reEnters
	faults
)

func (s *simulation) request(draw *rand.Rand) (operation.Request, []queue.EnqueueOption) {
	f := fault{draw.IntN(faults), 1 + time.Duration(draw.Int64N(int64(simWork)))}
	if s.inline && (f.kind == exits || f.kind == blocksInStart || f.kind == blocksInStop) {
		f.kind = endsLater
	}
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], draw.Uint64())
	binary.LittleEndian.PutUint64(id[8:], draw.Uint64())
	return play(), []queue.EnqueueOption{queue.ID(id), queue.Value(f)}
}

func (s *simulation) enqueue(draw *rand.Rand, _ uint64) {
	req, opts := s.request(draw)
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Enqueue})
	op, err := s.queue.Enqueue(context.Background(), req, opts...)
	s.Add(trace.Item{What: trace.Returned, Method: trace.Enqueue, Number: n, Op: op.ID(), Failed: err != nil})
	s.know(op)
}

func (s *simulation) interrupt(draw *rand.Rand) {
	req, opts := s.request(draw)
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Interrupt})
	op, receipt, err := s.queue.Interrupt(context.Background(), req, opts...)
	s.Add(trace.Item{
		What: trace.Returned, Method: trace.Interrupt, Number: n, Op: op.ID(), Failed: err != nil, Ops: ids(receipt),
	})
	s.know(op)
}

func (s *simulation) cancelAll() {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.CancelAll})
	receipt := s.queue.CancelAll()
	s.Add(trace.Item{What: trace.Returned, Method: trace.CancelAll, Number: n, Ops: ids(receipt)})
}

func (s *simulation) cancel(draw *rand.Rand) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Cancel})
	op, err := s.queue.Cancel(s.any(draw).ID())
	i := trace.Item{What: trace.Returned, Method: trace.Cancel, Number: n, Failed: err != nil}
	if err == nil {
		i.Ops = []uuid.UUID{op.ID()}
	}
	s.Add(i)
}

func (s *simulation) close(cause error) {
	n := s.Begin(trace.Item{What: trace.Called, Method: trace.Close})
	receipt := s.queue.Close(cause)
	s.Add(trace.Item{What: trace.Returned, Method: trace.Close, Number: n, Ops: ids(receipt)})
}

// refused are calls that must change nothing.
func (s *simulation) refused(draw *rand.Rand) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	req, opts := s.request(draw)
	for _, try := range []func() error{
		func() error { _, err := s.queue.Enqueue(over, req, opts...); return err },
		func() error {
			_, err := s.queue.Enqueue(context.Background(), &operation.PlayPrompt{}, opts...)
			return err
		},
		func() error { _, _, err := s.queue.Interrupt(over, req, opts...); return err },
	} {
		if try() == nil {
			panic("what must be refused was accepted")
		}
	}
}

func (s *simulation) know(op *operation.Operation) {
	if op == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, op)
}

// any returns one of the operations so far, or nil.
func (s *simulation) any(draw *rand.Rand) *operation.Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ops) == 0 {
		return nil
	}
	return s.ops[max(0, len(s.ops)-1-draw.IntN(6))]
}

func ids(r queue.Receipt) (all []uuid.UUID) {
	for op := range r.Victims() {
		all = append(all, op.ID())
	}
	return all
}

// reader reads without a lock, several operations one after the other, at any moment.
func (s *simulation) reader(number uint64) {
	draw := s.source(number)
	for range 12 {
		sleep(draw, simWork)
		s.read(draw)
	}
}

func (s *simulation) read(draw *rand.Rand) {
	for range 4 {
		op := s.any(draw)
		if op == nil {
			return
		}
		n := s.Begin(trace.Item{What: trace.Asked, Op: op.ID()})
		status := op.Status()
		r, _ := op.Result()
		if !status.Terminal() { // it may have ended between the two
			r.Reason = 0
		}
		s.Add(trace.Item{What: trace.Read, Number: n, Op: op.ID(), Status: status, Reason: r.Reason})
		time.Sleep(1)
	}
}

// subscribe listens to the tones in both ways.
func (s *simulation) subscribe(all *sync.WaitGroup) {
	pulled := s.tones.Subscribe()
	s.Add(trace.Item{What: trace.Subscribed, Who: 0})
	all.Go(func() {
		for {
			e, err := pulled.Next(context.Background())
			if err != nil {
				return
			}
			time.Sleep(1) // apart from the other subscription, so that a seed replays
			s.Add(trace.Item{What: trace.Took, Who: 0, Seq: e.Seq})
		}
	})
	s.Add(trace.Item{What: trace.Subscribed, Who: 1})
	handled, err := s.tones.Handle(tone.All, func(e tone.Event) {
		time.Sleep(2)
		s.Add(trace.Item{What: trace.Took, Who: 1, Seq: e.Seq})
	})
	if err != nil {
		panic(err)
	}
	all.Go(func() { <-handled.Done() })
}

func (s *simulation) press(draw *rand.Rand) {
	for range 20 {
		sleep(draw, simWork/2)
		seq, err := s.tones.Publish(tone.Tone5)
		if err != nil {
			panic(err)
		}
		s.Add(trace.Item{What: trace.Pressed, Seq: seq})
		time.Sleep(4) // its subscribers record what they took behind it, not beside it
	}
}

// simMedia is media with every fault.
type simMedia struct{ s *simulation }

func (m simMedia) Start(t queue.Task) (err error) {
	s := m.s
	s.Add(trace.Item{What: trace.StartEntered, Op: t.ID()})
	failed := true
	defer func() {
		s.Add(trace.Item{What: trace.StartReturned, Op: t.ID(), Failed: failed || err != nil})
	}()
	s.live(t)
	f, _ := t.Value().(fault)
	switch f.kind {
	case endsInside:
		s.end(t, operation.Result{})
	case endsWithError:
		err = errors.New("x")
	case panics:
		panic("x")
	case exits:
		runtime.Goexit()
	case blocksInStart:
		time.Sleep(f.works * 4)
		s.working(t, f)
	case reportsTwice:
		s.end(t, operation.Result{Position: time.Second})
		s.end(t, operation.Result{Reason: operation.Panicked})
	case reEnters:
		draw := s.source(hash(idBytes(t)))
		for _, call := range []func(){
			func() { s.enqueue(draw, 0) }, s.cancelAll, func() { s.cancel(draw) }, func() { s.queue.Snapshot() }, func() { s.interrupt(draw) },
		} {
			if draw.IntN(4) == 0 {
				call()
			}
		}
		s.working(t, f)
	default:
		s.working(t, f)
	}
	failed = false
	return err
}

func idBytes(t queue.Task) []byte {
	id := t.ID()
	return id[:]
}

// working has the media play for its time, on a goroutine of its own, asking before each frame.
func (s *simulation) working(t queue.Task, f fault) {
	s.late.Go(func() {
		over := time.Now().Add(f.works)
		for time.Now().Before(over) {
			time.Sleep(1 + time.Duration(hash(idBytes(t))%uint64(simWork/8)))
			if !s.live(t) {
				return // Stop reports
			}
			t.Progress(time.Since(s.start))
		}
		s.end(t, operation.Result{})
	})
}

func (s *simulation) live(t queue.Task) bool {
	n := s.Begin(trace.Item{What: trace.Asked, Op: t.ID()})
	live := t.Live()
	s.Add(trace.Item{What: trace.Live, Number: n, Op: t.ID(), Failed: !live})
	return live
}

func (s *simulation) end(t queue.Task, r operation.Result) {
	s.Add(trace.Item{What: trace.Reporting, Op: t.ID()})
	t.End(r)
}

func (m simMedia) Stop(t queue.Task) {
	s := m.s
	s.Add(trace.Item{What: trace.StopEntered, Op: t.ID()})
	defer s.Add(trace.Item{What: trace.StopReturned, Op: t.ID()})
	f, _ := t.Value().(fault)
	switch f.kind {
	case ignoresStop:
	case blocksInStop:
		time.Sleep(f.works * 4)
		s.end(t, operation.Result{})
	case reportsLate:
		s.late.Go(func() {
			time.Sleep(simStopTimeout + f.works)
			s.end(t, operation.Result{})
		})
	case endsLater:
		s.late.Go(func() {
			time.Sleep(f.works / 2)
			s.end(t, operation.Result{})
		})
	default:
		s.end(t, operation.Result{})
	}
}

// simObserver is an observer with a fault; the one with number 0 has none.
type simObserver struct {
	s      *simulation
	number int
	draw   *rand.Rand
	fault  int
}

func (o *simObserver) Observe(e queue.Event) {
	i := trace.Item{
		What: trace.Told, Who: o.number, Event: e.Kind, Op: e.Operation.ID(), Seq: e.Seq, Reason: e.Result.Reason, Time: e.Time,
	}
	o.s.Add(i)
	i.What = trace.Heard
	defer o.s.Add(i)
	if o.number == 0 || o.draw.IntN(4) > 0 {
		return
	}
	switch o.fault {
	case 1:
		time.Sleep(simWork)
	case 2:
		panic("x")
	case 3:
		runtime.Goexit()
	case 4:
		o.s.cancelAll()
	case 5:
		o.s.enqueue(o.draw, 0)
	}
}

