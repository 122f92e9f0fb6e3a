package queue_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/internal/trace"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// A scene is one call with everybody in it, drawn from a seed: producers that call everything there
// is, media and observers with every fault, readers, keys that are pressed. What happens is
// recorded, and judged by package trace. The simulation plays it in a bubble, where the seed
// decides who is next; the stress plays it in real time, where the machine does.
type scene struct {
	trace.Recorder

	seed  uint64
	unit  time.Duration // what all times are multiples of
	terms trace.Terms
	group queue.Group // that has the queue, in every other scene
	queue *queue.Queue
	tones tone.Stream

	inline    bool          // callbacks must not exit their goroutine, and blocking holds up callers
	blocking  bool          // the media is a Blocking function
	lags      bool          // an observer is blocked
	boundless bool          // any number of operations may wait
	released  chan struct{} // closed when blocked observers are to go on

	mu       sync.Mutex // guards the block below
	ops      []*operation.Operation
	contexts map[uuid.UUID]context.Context
	reports  time.Duration        // positions of reports: each has one of its own
	optional map[uuid.UUID]uint64 // calls of Pause, Resume and EndLoop
	strays   int                  // outcomes and places of which the parts are of two reports
	under    int                  // callbacks that call, and goroutines of media, under way
	calm     *sync.Cond           // there are none
	over     bool                 // the scene is judged: what calls back from now on does nothing
}

// Times of a scene, in units.
const (
	sceneSeam        = 1 // at most, at a seam
	sceneWork        = 10
	sceneStopTimeout = 15
	sceneLong        = 40 // longer than the stop timeout; also the run timeout

	sceneBurst = 300 // operations
)

// newScene makes a scene, with a queue of its own.
func newScene(t *testing.T, seed uint64, unit time.Duration, opts ...queue.Option) *scene {
	t.Helper()
	s := &scene{
		optional: map[uuid.UUID]uint64{},
		seed:     seed, unit: unit,
		released: make(chan struct{}), contexts: map[uuid.UUID]context.Context{},
	}
	s.calm = sync.NewCond(&s.mu)
	draw := s.source(0)
	s.terms.StopTimeout = sceneStopTimeout * unit
	pending := []int{0, 1, 3, 8}[draw.IntN(4)]
	s.boundless = pending == 0
	opts = append(
		opts, queue.WithLogger(slog.New(logbook{slog.DiscardHandler, s})),
		queue.WithStopTimeout(s.terms.StopTimeout),
		queue.WithMaxPending(pending),
		queue.WithIdempotency(1<<20, 10_000*time.Hour), // a caller may be held up before it repeats a call
	)
	if draw.IntN(2) == 0 { // beside everything
		s.terms.RunTimeout = sceneLong * unit
		opts = append(opts, queue.WithRunTimeout(s.terms.RunTimeout))
	}
	form := draw.IntN(6)
	s.inline = form < 3
	if form == 0 || form == 1 || form == 3 {
		opts = append(opts, queue.WithInlineMedia())
		s.inline = true
	}
	s.blocking = draw.IntN(6) == 0
	if first := s.observer(0, draw); form == 0 || form == 2 {
		opts = append(opts, queue.WithInlineObserver(first))
	} else {
		opts = append(opts, queue.WithObserver(first))
	}
	for i := range draw.IntN(3) {
		opts = append(opts, queue.WithObserver(s.observer(1+i, draw)))
	}
	var m queue.Media = sceneMedia{s}
	if seed%3 > 0 {
		m = sceneOptional{sceneMedia{s}}
	}
	switch {
	case s.blocking && seed%2 == 1:
		m = queue.Blocking(func(ctx context.Context, t queue.Active) (operation.Result, error) {
			s.Add(trace.Item{What: trace.StartEntered, Op: t.ID()})
			s.Add(trace.Item{What: trace.StartReturned, Op: t.ID()})
			return s.perform(ctx, t)
		})
	case s.blocking:
		m = &recorded{s, queue.Blocking(s.perform)}
	}
	var err error
	create := queue.New
	if seed%2 == 0 {
		create = s.group.New
	}
	if s.queue, err = create("call", m, opts...); err != nil {
		t.Fatal(err)
	}
	return s
}

// source returns a source of its own for everybody who draws.
func (s *scene) source(n uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, n)) }

// sleep sleeps for up to n units. Everybody begins with it, and sleeps again when woken up, so that
// in a bubble no two of them are awake at once.
func (s *scene) sleep(draw *rand.Rand, n int) {
	time.Sleep(1 + time.Duration(draw.Int64N(int64(n)*int64(s.unit))))
}

// run plays the scene until all its producers are through.
func (s *scene) run(t *testing.T, calls int) {
	draw := s.source(1)
	var producers, listeners sync.WaitGroup
	for i := range 2 + draw.IntN(3) {
		producers.Go(func() { s.produce(s.source(uint64(10+i)), calls) })
	}
	for i := range 2 {
		producers.Go(func() { s.readNow(s.source(uint64(20 + i))) })
	}
	s.listen(&listeners)
	s.collect(&listeners)
	done := s.watch(t)
	producers.Go(func() { s.press(s.source(30)) })
	producers.Wait()
	if s.quiet(t) {
		i := trace.Item{What: trace.Quiet, Ops: idsOf(s.queue.Snapshot(), true)}
		if !s.lags {
			i.Lost = uint64(s.queue.LogEntries())
		}
		s.Add(i)
	}
	close(s.released)
	s.close(operation.CallEnded)
	s.tones.End()
	listeners.Wait()
	s.Add(trace.Item{What: trace.TonesOver})
	select {
	case <-done:
	case <-time.After(max(time.Minute, 10_000*s.unit)):
		t.Errorf("G14: the queue is not done long after its Close: %+v", s.queue.Snapshot())
		return
	}
	s.mu.Lock()
	for s.under > 0 { // those of abandoned media, and observers of it, may go on for longer than the queue
		s.calm.Wait()
	}
	s.over = true
	s.mu.Unlock()
	for s.queue.LogEntries() > 0 { // a late report may have been read, and is judged by its event
		time.Sleep(s.unit)
	}
}

// spawn runs f on a goroutine that the end of the scene waits for.
func (s *scene) spawn(f func()) {
	left := s.entered()
	go func() {
		defer left()
		f()
	}()
}

// entered counts a callback, until what it returns is called.
func (s *scene) entered() (left func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counted()
}

// enteredInTime counts a callback as entered does, unless the scene is over.
func (s *scene) enteredInTime() (left func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, false
	}
	return s.counted(), true
}

// counted must be called with the lock held.
func (s *scene) counted() (left func()) {
	s.under++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.under--; s.under == 0 {
			s.calm.Broadcast()
		}
	}
}

// watch takes down when the queue is done, and looks whether a timer is left then.
func (s *scene) watch(t *testing.T) (done chan struct{}) {
	t.Helper()
	done = make(chan struct{})
	go func() {
		defer close(done)
		<-s.queue.Done()
		s.Add(trace.Item{What: trace.Done})
		if n := s.group.Len(); n > 0 {
			t.Errorf("seed %d: its group has it after Done", s.seed)
		}
		if n := s.queue.Finishing(); n > 0 {
			t.Errorf("seed %d: G14: %d timers are left after Done", s.seed, n)
		}
	}()
	return done
}

// quiet waits until nothing happens any more by itself; only in a bubble there is such a moment.
func (s *scene) quiet(t *testing.T) bool {
	t.Helper()
	if s.terms.OnItsWay == 0 {
		return false
	}
	time.Sleep(5000 * s.unit)
	return true
}

// judge says what was violated.
func (s *scene) judge(t *testing.T) bool {
	t.Helper()
	found := trace.Check(s.Items(), s.terms)
	for _, v := range found {
		t.Errorf("seed %d: %v", s.seed, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strays > 0 {
		t.Errorf("seed %d: %d results or places mix what was reported together with other reports", s.seed, s.strays)
	}
	return len(found) == 0 && s.strays == 0
}

// know remembers an operation, for those who look at any.
func (s *scene) know(op *operation.Operation) {
	if op == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, op)
}

// any returns one of the last operations, or nil.
func (s *scene) any(draw *rand.Rand) *operation.Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ops) == 0 {
		return nil
	}
	return s.ops[max(0, len(s.ops)-1-draw.IntN(6))]
}

// hash is FNV-1a with a final mix: the same in every process.
func hash(words ...uint64) uint64 {
	h := uint64(14695981039346656037)
	for _, w := range words {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], w)
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// logbook records whose media was abandoned, and that it does not know whose, when the queue has
// dropped what it could not log in time. Everything else it forgets.
type logbook struct {
	slog.Handler

	s *scene
}

func (logbook) Enabled(context.Context, slog.Level) bool { return true }

func (l logbook) Handle(_ context.Context, r slog.Record) error {
	i, dropped := trace.Item{}, false
	switch r.Message {
	case "queue: media abandoned":
		i.What = trace.Abandoned
	case "queue: media abandoned in Prepare":
		i.What = trace.GivenUp
	}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "operation":
			i.Op = uuid.MustParse(a.Value.String())
		case "dropped":
			dropped = true
		}
		return true
	})
	if dropped {
		l.s.Add(trace.Item{What: trace.Abandoned})
	}
	if i.What != 0 {
		l.s.Add(i)
	}
	return nil
}
