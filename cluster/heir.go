package cluster

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/journal"
	"ivrqueue/cluster/member"
	"ivrqueue/graph"
)

// times of an heir.
const (
	lookEvery   = time.Second           // for records that no view has announced
	rereadAfter = 2 * time.Second       // of a death, and of a try: an election takes 4 to 9 s
	burstEvery  = 10 * time.Millisecond // thousands at once would keep beats from being sent
	removeAfter = 15 * time.Second      // of a death: nothing comes late any more
	toldFor     = 10 * time.Minute      // for which it is remembered that a call's end was told
)

// burst is how many ends are begun to be told at once.
const burst = 64

// inherited marks the deliveries that an heir makes, in their Value.
type inherited struct{}

// heir notifies of the ends of calls whose owner is dead, as far as that is this node's part.
type heir struct {
	node  *Node
	stats struct{ inherited, told, failed, unread, deaths, fenced atomic.Uint64 }

	mu       sync.Mutex // guards everything below
	telling  map[uuid.UUID]struct{}
	told     map[uuid.UUID]time.Time
	unread   unread
	dead     map[journal.Epoch]*death
	removing bool
}

// death is what an heir knows of a life that is over.
type death struct {
	since  time.Time // when this node learned of it
	asking bool
	agreed map[uuid.UUID]struct{} // calls that the other nodes were asked about; nil: not asked yet
}

func (h *heir) init(n *Node) {
	h.node = n
	h.telling, h.told = make(map[uuid.UUID]struct{}), make(map[uuid.UUID]time.Time)
	h.unread, h.dead = make(unread), make(map[journal.Epoch]*death)
}

// run looks when there is another view, and from time to time: a record may come late, or be older
// than all that the nodes remember.
func (h *heir) run() {
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	for {
		select {
		case <-h.node.life.Done():
			return
		case <-h.node.wake:
		case <-every.C:
			h.forget()
		}
		h.look()
	}
}

// look begins to tell what is this node's to tell.
func (h *heir) look() {
	n := h.node
	n.mu.Lock()
	p := n.platform
	n.mu.Unlock()
	if _, ok := n.owner(); !ok || p == nil {
		return
	}
	m := n.member.Load()
	view := m.View()
	for _, e := range n.journal.Epochs() {
		epoch := member.Epoch(e.Epoch)
		if !view.Ended(e.Node, epoch) {
			if live, ok := view.Epoch(e.Node); !ok || live != epoch {
				_ = m.Saw(e.Node, epoch) // of a node that the cluster does not have: nobody's
			}
			continue
		}
		calls := n.journal.Calls(e)
		since := h.bury(e, len(calls) > 0)
		if len(calls) == 0 && time.Since(since) > removeAfter {
			h.remove(e)
			continue
		}
		begun := 0
		for _, call := range h.agreed(e, calls) {
			heir, ok := m.View().Heir(e.Node, epoch, call)
			if !ok || heir != n.options.Node || !h.begin(call) {
				continue
			}
			n.work.Go(func() { h.tell(p.Graph, e, call) })
			if begun++; begun%burst == 0 && !h.pause() {
				return
			}
		}
	}
}

// pause waits until the next burst. It reports whether the node goes on.
func (h *heir) pause() bool {
	wait := time.NewTimer(burstEvery)
	defer wait.Stop()
	select {
	case <-wait.C:
		return true
	case <-h.node.life.Done():
		return false
	}
}

// begin reports whether a call is to be told: nobody does already, and it is not known to be one
// that can't be read.
func (h *heir) begin(call uuid.UUID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.telling[call]; ok || h.unread.waits(call, time.Now()) {
		return false
	}
	h.telling[call] = struct{}{}
	return true
}

func (h *heir) isTelling(call uuid.UUID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.telling[call]
	return ok
}

// tell delivers what is owed for a call, if it can be read.
func (h *heir) tell(to *graph.Handler, e journal.Epoch, call uuid.UUID) {
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.telling, call)
	}()
	h.mu.Lock()
	_, told := h.told[call]
	h.mu.Unlock()
	if !told {
		switch o, err := h.node.journal.Owed(e, call); {
		case err == nil && !h.deliver(to, &o), err != nil && !h.givesUp(e, call, err):
			return
		}
		h.stats.told.Add(1)
	}
	h.mu.Lock()
	h.told[call] = time.Now()
	h.mu.Unlock()
	h.node.journal.Purge(e, call)
}

// deliver delivers what a call owes: one delivery after the other. What a bot does not take is
// given up, as it would have been by the owner. It is false if this node loses its lease: others
// begin anew.
func (h *heir) deliver(to *graph.Handler, o *graph.Owed) bool {
	h.stats.inherited.Add(1)
	for _, d := range o.Deliveries() {
		d.Value = inherited{}
		switch err := to.Deliver(h.node.life, d); {
		case isFenced(err), h.node.life.Err() != nil:
			return false
		case err != nil:
			h.stats.failed.Add(1)
		}
	}
	return true
}

// givesUp reports whether nothing will be delivered of a call whose record can't be read.
func (h *heir) givesUp(e journal.Epoch, call uuid.UUID, err error) bool {
	if !h.node.journal.Has(callid.Owner{Node: callid.Of(e.Node), Epoch: e.Epoch}, call) {
		return false // another has told it just now
	}
	h.mu.Lock()
	first, over := h.unread.note(call, time.Now())
	h.mu.Unlock()
	log := h.node.options.Logger
	if first {
		h.stats.unread.Add(1)
		log.Error("cluster: what a call owes can't be read; it is left to a node that can",
			slog.Any("error", err))
	}
	if over {
		h.stats.failed.Add(1)
		log.Error("cluster: what a call owes was given up: nobody could read it", slog.Any("error", err))
	}
	return over
}

// forget forgets calls whose records can't come back any more.
func (h *heir) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for call, at := range h.told {
		if time.Since(at) > toldFor {
			delete(h.told, call)
		}
	}
	h.unread.forget(time.Now())
}

// bury notes that a life is dead, and returns since when that is known. It has the bucket read once
// more, for what was written and has not passed by here.
func (h *heir) bury(e journal.Epoch, hadCalls bool) (since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := h.dead[e]; d != nil {
		return d.since
	}
	d := &death{since: time.Now()}
	h.dead[e] = d
	if hadCalls {
		h.stats.deaths.Add(1)
	}
	h.node.work.Go(func() {
		h.untilDone(rereadAfter, func() error { return h.node.journal.Refresh(h.node.life) })
		h.node.look()
	})
	return d.since
}

// agreed returns those of the calls of a dead life that the other nodes were asked about. If there
// are more, or none was asked about yet, it asks, and has the heir look again.
func (h *heir) agreed(e journal.Epoch, calls []uuid.UUID) []uuid.UUID {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.dead[e]
	agreed := slices.DeleteFunc(slices.Clone(calls), func(call uuid.UUID) bool {
		_, ok := d.agreed[call]
		return !ok
	})
	if !d.asking && (d.agreed == nil || len(agreed) < len(calls)) {
		d.asking = true
		h.node.work.Go(func() {
			asked := h.node.journal.Agree(h.node.life, e)
			h.mu.Lock()
			if d.asking = false; d.agreed == nil {
				d.agreed = make(map[uuid.UUID]struct{})
			}
			for _, call := range asked {
				d.agreed[call] = struct{}{}
			}
			h.mu.Unlock()
			h.node.look()
		})
	}
	return agreed
}

// remove removes what is left in the bucket of a life, when the ends of all its calls were told.
func (h *heir) remove(e journal.Epoch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.removing {
		return
	}
	h.removing = true
	h.node.work.Go(func() {
		err := h.node.journal.Remove(h.node.life, e) // or it is tried again
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.removing = false; err == nil {
			clear(h.dead[e].agreed)
		}
	})
}

// untilDone does something after a while, and again until it succeeds.
func (h *heir) untilDone(after time.Duration, do func() error) {
	wait := time.NewTimer(after)
	defer wait.Stop()
	for {
		select {
		case <-h.node.life.Done():
			return
		case <-wait.C:
		}
		if do() == nil {
			return
		}
		wait.Reset(after)
	}
}

// isFenced reports whether a delivery was not made because this node may not. The error may be the
// platform's own, whose methods may panic: then it is another one.
func isFenced(err error) (fenced bool) {
	defer func() {
		if recover() != nil {
			fenced = false
		}
	}()
	return errors.Is(err, ErrFenced)
}
