package tone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
)

// Subscription is a place in a stream, from which tones are pulled. [Stream.Subscribe] makes it;
// Close, or the end of the stream, end it. It must not be copied; the methods of the zero
// Subscription panic, save Collect, which returns an error. Several goroutines may pull one
// subscription: each tone goes to one of them.
type Subscription struct {
	stream  *Stream
	set     Set  // of a Handler
	handled bool // it is a Handler's

	// Guarded by the stream's mutex.
	handle  func(Event)   // dropped when no call of it can follow
	below   *Subscription // in the stream's list
	next    uint64        // number of the tone to read next
	lost    uint64        // in total
	skipped uint64        // of these, before a tone that the set does not have
	wake    chan struct{} // holds a token while there is something to read; made on demand
	done    chan struct{} // made on demand
	over    bool          // gets no more tones, and has read what there was; or closed
	closed  bool
	running bool // a goroutine is handling tones

	collecting bool // Collect is under way
}

// mutex returns that of the stream. It is inlined.
func (s *Subscription) mutex() *sync.Mutex {
	if s.stream == nil {
		panic("tone: a Subscription that Subscribe did not make, or a Handler that Handle did not")
	}
	return &s.stream.mu
}

// String says how far it has come, for logs, and reads with the lock: see [Stream.String].
func (s *Subscription) String() string { return "tone subscription, " + s.place() }

// place says how far the subscription has come.
func (s *Subscription) place() string {
	if s.stream == nil {
		return "of no stream"
	}
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	return fmt.Sprintf("%d of %d tones read", s.next-1, s.stream.last)
}

// TryNext returns the next tone, if there is one. It does not wait.
func (s *Subscription) TryNext() (e Event, ok bool) {
	s.mutex().Lock()
	defer s.stream.mu.Unlock()
	ok = s.read(&e)
	return e, ok
}

// Next returns the next tone, and waits for it until ctx ends. Errors: [ErrEnded], [ErrClosed], the
// cause of ctx. What is there is returned even if ctx is over.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	if ctx == nil {
		return Event{}, errors.New("tone: Next: nil context")
	}
	for {
		e, ok := s.TryNext()
		if ok {
			return e, nil
		}
		if err := s.Err(); err != nil {
			return Event{}, err
		}
		if err := await(ctx, s.Ready()); err != nil {
			if e, ok = s.TryNext(); ok { // it came with the end of ctx
				err = nil
			}
			return e, err
		}
	}
}

// await waits until there may be a tone, or ctx has ended. A context that panics, as a typed nil
// does, is an error.
func await(ctx context.Context, ready <-chan struct{}) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("tone: Next: context %T panicked: %v", ctx, v)
		}
	}()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tone: Next: %w", cmp.Or(context.Cause(ctx), context.Canceled))
	}
}

// Ready returns a channel, always the same, from which can be received when TryNext may have a
// tone, and always once the subscription is over. One value stands for any number of tones: take
// all there are.
func (s *Subscription) Ready() <-chan struct{} {
	s.mutex().Lock()
	defer s.stream.mu.Unlock()
	if s.wake == nil {
		s.wake = make(chan struct{}, 1)
		if s.over {
			close(s.wake)
		} else {
			s.signal()
		}
	}
	return s.wake
}

// Err returns nil while there may be tones to come, then [ErrEnded] or [ErrClosed].
func (s *Subscription) Err() error {
	s.mutex().Lock()
	defer s.stream.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.over:
		return ErrEnded
	default:
		return nil
	}
}

// Lost returns how many tones, of whatever value, were lost in all because the subscription lagged.
func (s *Subscription) Lost() uint64 {
	s.mutex().Lock()
	defer s.stream.mu.Unlock()
	return s.lost
}

// Close ends the subscription. It does not wait. To close it again does nothing.
func (s *Subscription) Close() {
	s.mutex().Lock()
	defer s.stream.mu.Unlock()
	s.closed = true
	s.settle()
}

// Done returns a channel that is closed when the subscription was closed, or has read the last tone
// of an ended stream.
func (s *Subscription) Done() <-chan struct{} {
	s.mutex().Lock()
	defer s.stream.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.over && !s.running {
			close(s.done)
		}
	}
	return s.done
}

// offer has the subscription notice the tone published last.
func (s *Subscription) offer(t Tone) {
	switch {
	case !s.handled:
		s.signal()
	case s.running: // it will see
	case s.next == s.stream.last && !s.set.Contains(t):
		s.next++
	default:
		s.running = true
		go s.run()
	}
}

// signal wakes one who waits, if there is something to read and anyone has ever waited.
func (s *Subscription) signal() {
	if s.wake == nil || s.over || s.next > s.stream.last {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// read takes the next tone from the ring into e, which is zero.
func (s *Subscription) read(e *Event) bool {
	st := s.stream
	if s.closed || s.next > st.last {
		return false
	}
	var at *slot
	e.Seq, at = s.oldest()
	e.Lost = e.Seq - s.next
	s.lost += e.Lost
	e.Time, e.Tone, e.Participant = at.time, at.tone, at.participant
	if s.next = e.Seq + 1; s.next > st.last {
		st.drained()
		s.settle()
	} else {
		s.signal() // for the next who waits
	}
	return true
}

// oldest returns the number of the tone to read next, and its slot. There must be one.
func (s *Subscription) oldest() (uint64, *slot) {
	ring := *s.stream.slots
	n := uint64(len(ring))
	seq := s.next
	if s.stream.last-seq >= n {
		seq = s.stream.last - n + 1
	}
	return seq, &ring[seq%n]
}

// settle notices that the subscription is over, and done.
func (s *Subscription) settle() {
	if !s.over && (s.closed || s.stream.ended && s.next > s.stream.last) {
		s.over = true
		s.stream.remove(s)
		if s.wake != nil {
			close(s.wake) // signal sends nothing from now on
		}
	}
	if !s.over || s.running {
		return
	}
	s.handle = nil
	if s.done != nil && !isClosed(s.done) {
		close(s.done)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
