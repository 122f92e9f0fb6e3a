package member

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// Member is this node's part in the cluster. It is made by [New], is safe for concurrent use, must
// not be copied, and is ended by Close.
type Member struct {
	config *config
	outbox *outbox
	events *events
	subs   []*nats.Subscription

	lease atomic.Pointer[Lease] // written under mu, as is view
	view  atomic.Pointer[View]

	mu      sync.Mutex // guards the block below
	machine *machine
	err     error         // why it has ended
	stop    chan struct{} // closed when it has ended

	loops sync.WaitGroup
}

// String names the node, for logs: what is given to package fmt would be read without the lock
// otherwise.
func (m *Member) String() string { return "member " + m.config.names[m.config.self] }

// New joins the cluster of these nodes, as that with this name. It returns at once; [Began] comes
// when the node has a lease. A node of a cluster talks over the connection, which stays the
// caller's and must outlive the member; it should reconnect for ever ([nats.MaxReconnects] of -1).
// A single node needs none.
func New(conn *nats.Conn, name string, nodes []string, options ...Option) (*Member, error) {
	c, err := newConfig(name, nodes, options)
	if err != nil {
		return nil, err
	}
	alone := len(c.names) == 1
	if conn == nil && !alone {
		return nil, errors.New("member: conn: nil, but there are several nodes")
	}
	m := &Member{
		config: c,
		outbox: newOutbox(conn),
		events: &events{observer: c.observer, logger: c.logger, done: make(chan struct{})},
		stop:   make(chan struct{}),
	}
	s := setup{self: c.self, nodes: len(c.names), config: c.common, listen: c.listen, timing: c.timing}
	m.machine = newMachine(s, rand.Uint64()|1, c.first, c.clock.now()) //nolint:gosec // no secret
	m.mu.Lock()
	m.publish()
	m.mu.Unlock()
	if alone {
		return m, nil
	}
	if err := m.subscribe(conn); err != nil {
		m.unsubscribe()
		return nil, fmt.Errorf("member: subscribe: %w", err)
	}
	m.loops.Go(m.run)
	m.loops.Go(func() { m.outbox.run(m.stop) })
	return m, nil
}

// Lease returns the lease of the current epoch, or nil if this node has none. A call keeps the
// lease with which it began.
func (m *Member) Lease() *Lease { return m.lease.Load() }

// Holds reports whether this node may take calls at this instant.
func (m *Member) Holds() bool {
	l := m.lease.Load()
	return l != nil && l.Holds()
}

// View returns the newest view.
func (m *Member) View() *View { return m.view.Load() }

// Supporters returns how many nodes have granted beats of the last 2 s and go on to, this one among
// them, and zero without a lease: one that has just started counts 3 s later. If that is no more
// than a majority for long, the loss of one of them ends the epoch. A node that has withdrawn once,
// when a link was down, supports only the next epoch.
func (m *Member) Supporters() (n int) {
	m.step(func(time.Duration) { n = m.machine.supporters() })
	return n
}

// Saw tells of an epoch that somebody has found: in a journal, after the whole cluster has
// restarted. If its node does not beat, it is declared dead in time, with all before. The error
// names what is wrong with the node or the epoch.
func (m *Member) Saw(node string, e Epoch) error {
	i, ok := slices.BinarySearch(m.config.names, node)
	switch {
	case !ok:
		return fmt.Errorf("member: Saw: node %q is not of the cluster", clip(node))
	case e > maxEpoch:
		return fmt.Errorf("member: Saw: epoch is %d, must be at most %d", e, maxEpoch)
	}
	m.step(func(now time.Duration) { m.machine.saw(i, e, now) })
	return nil
}

// Err returns why the member has ended: nil if it has not, [ErrClosed], or an error that wraps
// [ErrNameTaken] or [ErrMisconfigured].
func (m *Member) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Done returns a channel that is closed when the member has ended, and the observer has returned
// from its last event.
func (m *Member) Done() <-chan struct{} { return m.events.done }

// Close ends the epoch, tells the others, who declare it dead at once, and ends the member. It
// waits until the server has that, a lease at most, or until the context is done, whose error it
// returns; the member has ended then, too. It does not wait for the observer, see Done. End the
// calls first. The second time it waits likewise.
func (m *Member) Close(ctx context.Context) error {
	m.mu.Lock()
	if m.err == nil {
		farewell := m.machine.leave(m.config.clock.now())
		m.post(farewell)
		m.end(ErrClosed)
	}
	m.mu.Unlock()
	through := make(chan struct{})
	go func() {
		defer close(through)
		m.loops.Wait()
		m.unsubscribe()
		m.outbox.flush(ctx, m.config.timing.Lease)
	}()
	select {
	case <-through:
		return nil
	case <-ctx.Done():
		return cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
	}
}

// run lets time pass for the machine.
func (m *Member) run() {
	ticker := time.NewTicker(m.config.timing.Beat / 5)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-m.stop:
			return
		}
		m.step(func(now time.Duration) {
			if b, due := m.machine.tick(now); due {
				m.post(b)
			}
		})
	}
}

// step gives the machine one input, unless the member has ended.
func (m *Member) step(input func(now time.Duration)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		input(m.config.clock.now())
		m.publish()
	}
}

// publish compares the machine with the lease and the view that others see. The lock is held.
func (m *Member) publish() {
	l := m.lease.Load()
	if l != nil && (!m.machine.held || l.epoch != m.machine.epoch) {
		m.lease.Store(nil)
		l.end()
		m.events.add(Event{Kind: Fenced, Lease: l})
		l = nil
	}
	if m.machine.held {
		first := l == nil
		if first {
			l = newLease(m.config.names[m.config.self], m.machine.epoch, m.config.clock)
		}
		l.extend(m.machine.until())
		if first {
			m.lease.Store(l)
			m.events.add(Event{Kind: Began, Lease: l})
		}
	}
	if v := m.machine.view(m.config.names); !v.equal(m.view.Load()) {
		m.view.Store(v)
		m.events.add(Event{Kind: Changed, View: v})
	}
	if m.machine.failure != 0 && m.err == nil {
		m.end(m.failure())
	}
}

// failure says why the machine has failed.
func (m *Member) failure() error {
	name, by := m.config.names[m.config.self], m.config.names[m.machine.failing]
	if m.machine.failure == taken {
		return fmt.Errorf("%w: %s, says %s", ErrNameTaken, name, by)
	}
	return fmt.Errorf("%w: %s has %s, %s has %s",
		ErrMisconfigured, name, m.config.common, by, m.machine.theirs)
}

// end ends the member, with an error of ours. The lock is held, so no method of it is called.
func (m *Member) end(err error) {
	m.err = err
	m.publish()
	if err != ErrClosed { //nolint:errorlint // none wraps it
		m.events.add(Event{Kind: Failed, Err: err})
	}
	m.events.end()
	close(m.stop)
}
