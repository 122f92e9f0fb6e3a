package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ivrqueue/cluster/callid"
	"ivrqueue/graph"
)

// Bounds of the writer.
const (
	ownKey     = 4 << 10   // bytes, from which on a body has a key of its own: it is written once
	maxBatch   = 128 << 10 // bytes of records, until a batch is full
	maxUnder   = 64        // batches under way to the bucket
	maxShown   = 1024      // batches under way to the other nodes
	maxMissed  = 64 << 10  // calls, until ends are not shown again
	maxAnswers = 4096      // of JetStream, in line

	showEvery  = 5 * time.Millisecond  // between the beginnings of two batches that are shown
	batchEvery = 2 * time.Millisecond  // of two batches for the bucket, at least
	smallEvery = 10 * time.Millisecond // the same, if the second has fewer records than smallBatch
	smallBatch = 16
	overdue    = 25 * time.Millisecond // until another goes though the last has no answer
)

// writer writes what has changed, in batches: whatever changes while one is under way goes into the
// next. All of it is done by one goroutine; only line is for others, too.
type writer struct {
	journal *Journal
	inbox   string // the subject of answers, without the number of the batch
	sub     *nats.Subscription
	answers chan *nats.Msg
	wake    chan struct{}        // has a value when something was told
	drains  chan chan<- struct{} // of those who wait until all is written
	ended   chan struct{}

	line struct {
		mu sync.Mutex // guards everything below

		told map[Epoch][]uuid.UUID // calls of others whose end was told
	}

	epoch     uint32 // of the calls that are written
	slots     *slots // of that life
	calls     map[*graph.Call]*state
	queue     []*state              // to be written
	failed    []*state              // whose write has failed: to be written when a sweep tries again
	unwritten map[Epoch][]uuid.UUID // the same of calls of others
	toldSlot  uint32                // the last one for calls of others
	number    uint64                // of the last batch
	under     map[uint64]*batch
	began     time.Time // the last batch
	failing   time.Time // since when all writes have failed; zero if the last one did not
	waiters   []chan<- struct{}

	show   shower
	text   bytes.Buffer // of the last record that was encoded
	buffer []byte       // for the next batch for the bucket
}

// batch is a write that is under way.
type batch struct {
	began    time.Time
	answers  int // that are missing
	messages []*nats.Msg
	after    []*nats.Msg // those that are sent last

	slots   *slots
	slot    *slot // of records; nil if there are none
	entries []entry
	bodies  []bodies
	erased  []*slot

	of   Epoch // of told
	told []uuid.UUID
}

// bodies are those with keys of their own that a call has in the bucket when a batch is written.
type bodies struct {
	state *state
	kept  map[uuid.UUID]bool
}

func newWriter(j *Journal) (*writer, error) {
	w := &writer{
		journal: j, inbox: j.conn.NewInbox() + ".", answers: make(chan *nats.Msg, maxAnswers),
		wake: make(chan struct{}, 1), drains: make(chan chan<- struct{}), ended: make(chan struct{}),
		slots: newSlots(j.options.reuse), calls: make(map[*graph.Call]*state),
		under: make(map[uint64]*batch), show: shower{under: make(map[uint64]*showing)},
	}
	w.line.told = make(map[Epoch][]uuid.UUID)
	var err error
	w.sub, err = j.conn.ChanSubscribe(w.inbox+"*", w.answers)
	return w, err
}

// run writes until ctx ends.
func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	defer w.sub.Unsubscribe() //nolint:errcheck // fails if the connection is closed
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	ledger := w.journal.options.Ledger
	for {
		all := false
		select {
		case <-ctx.Done():
			return
		case <-ledger.Changed():
		case m := <-w.answers:
			w.answer(m)
		case <-w.wake:
		case <-again.C:
		case d := <-w.drains:
			w.waiters = append(w.waiters, d)
			all = true
		case <-sweep.C:
			w.sweep()
			w.journal.mirror.turn(time.Now())
			all = true
		}
		w.take(all || len(w.waiters) > 0)
		if wait := soonest(w.showAll(), w.write()); wait > 0 {
			again.Reset(wait)
		}
		w.journal.waiting.Store(int64(len(w.queue) + len(w.failed) + len(w.show.forBucket)))
		w.journal.tracked.Store(int64(len(w.calls) + len(w.slots.used)))
		w.drained()
	}
}

// soonest returns the shorter of two waits; 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// take puts what has changed into the lines: what somebody waits for, or all.
func (w *writer) take(all bool) {
	ledger := w.journal.options.Ledger
	shows, relies := w.journal.options.Majority > 0, w.relies()
	w.each(ledger.TakeAwaited, func(s *state) {
		if shows {
			w.toShow(s)
		}
		if relies {
			w.enqueue(s)
		} else {
			w.later(s)
		}
	})
	if all {
		w.takeLater()
		w.each(ledger.Take, w.enqueue)
	}
}

// each calls f with the states of the calls that next returns, until there are no more.
func (w *writer) each(next func(most int) []*graph.Call, f func(*state)) {
	for {
		calls := next(256)
		if len(calls) == 0 {
			return
		}
		for _, c := range calls {
			s := w.calls[c]
			if s == nil {
				s = &state{call: c}
				w.calls[c] = s
			}
			f(s)
		}
	}
}

func (w *writer) enqueue(s *state) {
	if !s.queued {
		s.queued = true
		w.queue = append(w.queue, s)
	}
}

// write begins batches, and returns when to try again if not all could begin.
func (w *writer) write() (wait time.Duration) {
	for {
		w.line.mu.Lock()
		told := len(w.line.told)
		w.line.mu.Unlock()
		if len(w.queue) == 0 && told == 0 {
			return 0
		}
		now := time.Now()
		pause := batchEvery
		switch {
		case len(w.under) > 0:
			pause = overdue
		case len(w.queue) < smallBatch && told == 0: // a write costs all servers more than a record
			pause = smallEvery
		}
		if len(w.under) >= maxUnder {
			return overdue
		}
		if wait := w.began.Add(pause).Sub(now); wait > 0 {
			return wait
		}
		if told > 0 {
			w.send(w.tellings())
		}
		w.send(w.records())
	}
}

// records makes a batch of what is in line.
func (w *writer) records() *batch {
	b := new(batch)
	data := w.buffer[:0]
	n := 0
	for ; n < len(w.queue) && len(data) < maxBatch; n++ {
		var fits bool
		if data, fits = w.add(b, data, w.queue[n]); !fits {
			break
		}
		w.queue[n].queued = false
	}
	if w.queue = slices.Delete(w.queue, 0, n); len(w.queue) == 0 {
		w.queue = nil
	}
	if len(b.entries) > 0 {
		b.slots, b.slot = w.slots, w.slots.take(time.Now())
		k := w.key()
		k.writer, k.slot = k.node, b.slot.number
		b.messages = append(b.messages, w.message(k, data))
	}
	w.buffer = data // for the next: what is sent is copied
	b.messages = append(b.messages, b.after...)
	return b
}

// key is what all keys of this life have.
func (w *writer) key() key { return key{node: w.journal.options.Node, epoch: w.epoch} }

func (w *writer) message(k key, data []byte) *nats.Msg {
	m := nats.NewMsg(w.journal.subject(k.String()))
	m.Data = data
	return m
}

// marker is what is left in the place of a value, for a while, as a purge of the KV API does.
func (w *writer) marker(k key) *nats.Msg {
	m := w.message(k, nil)
	m.Header.Set("KV-Operation", "PURGE")
	m.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	m.Header.Set(jetstream.MsgTTLHeader, markerTTL.String())
	return m
}

// add adds what a call owes at the moment to a batch, if it fits.
func (w *writer) add(b *batch, data []byte, s *state) (_ []byte, fits bool) {
	if s.call == nil { // once more, that it is over
		if s.at == nil && s.over || !w.ofThisLife(s) {
			return data, true
		}
		return w.append(b, data, s, nil), true
	}
	j, epoch := w.journal, w.epoch
	o, mine := w.owed(s)
	if !mine {
		return data, true
	}
	if w.epoch != epoch {
		*b, data = batch{}, data[:0]
	}
	if o.Over {
		w.addBodies(b, s, &o)
		delete(w.calls, s.call)
		s.call, s.written = nil, o.Revision
		return w.append(b, data, s, nil), true
	}
	text, err := w.encode(&o, ownKey)
	switch room := int(j.conn.MaxPayload()) - maxEntry - len(text); {
	case err != nil || room < 0:
		j.tooLarge.Add(1) // it will never be taken
		s.call.Kept(o.Revision)
		return data, true
	case room < len(data):
		return data, false
	}
	w.addBodies(b, s, &o)
	s.written = o.Revision
	return w.append(b, data, s, text), true
}

// live begins another life, or none: the calls of the last one are this node's no more. Those of
// the next may be in line already, and stay: a call with two states has a slot that nobody frees.
func (w *writer) live(epoch uint32) {
	w.epoch, w.slots = epoch, newSlots(w.slots.wait)
	maps.DeleteFunc(w.calls, func(c *graph.Call, _ *state) bool {
		owner, ok := callid.OwnerOf(c.ID())
		return ok && !w.journal.options.Holds(owner)
	})
	clear(w.show.under)
	w.journal.records.Store(0)
}

// ofThisLife reports whether a call that was written is of the life that the slots are of.
func (w *writer) ofThisLife(s *state) bool {
	owner, ok := callid.OwnerOf(s.id)
	return ok && owner.Epoch == w.epoch
}

// encode returns the record of what a call owes, which is valid until the next is made.
func (w *writer) encode(o *graph.Owed, most int) (text []byte, err error) {
	w.text.Reset()
	if w.text.Cap() > maxBatch {
		w.text = bytes.Buffer{}
	}
	err = writeRecord(&w.text, o, most)
	return w.text.Bytes(), err
}

// append appends a record.
func (w *writer) append(b *batch, data []byte, s *state, text []byte) []byte {
	size := len(data)
	data = appendRecord(data, s.id, s.written, text)
	b.entries = append(b.entries, entry{
		state: s, revision: s.written, over: text == nil,
		size: int32(len(data) - size), //nolint:gosec // smaller than a message
	})
	return data
}

// addBodies adds the large bodies that are not in the bucket yet, and erases those that have
// arrived.
func (w *writer) addBodies(b *batch, s *state, o *graph.Owed) {
	kept := make(map[uuid.UUID]bool)
	k := w.key()
	k.call = s.id
	for i := range o.Posts {
		p := &o.Posts[i]
		if o.Over || len(p.Body) <= ownKey {
			continue
		}
		if k.post = p.ID; !s.bodies[p.ID] {
			b.messages = append(b.messages, w.message(k, p.Body))
		}
		kept[p.ID] = true
	}
	for k.post = range s.bodies {
		if !kept[k.post] {
			b.after = append(b.after, w.marker(k))
		}
	}
	if len(kept)+len(s.bodies) > 0 {
		b.bodies = append(b.bodies, bodies{s, kept})
	}
}

// tell has a call's end be told to the others: see [Journal.Purge].
func (w *writer) tell(e Epoch, call uuid.UUID) {
	w.line.mu.Lock()
	w.line.told[e] = append(w.line.told[e], call)
	w.line.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// tellings makes a batch of the calls of a dead node whose ends were told.
func (w *writer) tellings() *batch {
	w.line.mu.Lock()
	defer w.line.mu.Unlock()
	b := new(batch)
	for b.of, b.told = range w.line.told {
		break
	}
	if most := maxBatch / maxEntry / 4; len(b.told) > most {
		w.line.told[b.of], b.told = b.told[most:], b.told[:most]
	} else {
		delete(w.line.told, b.of)
	}
	var data []byte
	for _, id := range b.told {
		data = appendRecord(data, id, last, nil)
	}
	w.toldSlot++
	b.messages = append(b.messages, w.message(key{
		node: b.of.Node, epoch: b.of.Epoch, writer: w.journal.options.Node, slot: w.toldSlot,
	}, data))
	return b
}

// erasures makes a batch that erases slots which nobody has overwritten.
func (w *writer) erasures() *batch {
	b := &batch{slots: w.slots, erased: w.slots.erasable(64, time.Now())}
	k := w.key()
	k.writer = k.node
	for _, s := range b.erased {
		k.slot = s.number
		b.messages = append(b.messages, w.marker(k))
	}
	return b
}

// send begins a batch.
func (w *writer) send(b *batch) {
	if len(b.messages) == 0 {
		return
	}
	w.number++
	b.began, b.answers = time.Now(), len(b.messages)
	w.began, w.under[w.number] = b.began, b
	reply := w.inbox + strconv.FormatUint(w.number, 10)
	for _, m := range b.messages {
		m.Reply = reply
		switch err := w.journal.conn.PublishMsg(m); {
		case errors.Is(err, nats.ErrMaxPayload): // of a body
			w.journal.tooLarge.Add(1)
			b.answers--
		case err != nil:
			w.finish(w.number, err)
			return
		}
	}
	b.messages, b.after = nil, nil
	for _, e := range b.entries {
		if w.journal.options.Majority == 0 && e.state.call != nil { // there is nobody else
			e.state.call.Sent(e.revision)
		}
	}
	if b.answers == 0 {
		w.finish(w.number, nil)
	}
}

// answer takes an answer of JetStream, or of another node.
func (w *writer) answer(m *nats.Msg) {
	text := strings.TrimPrefix(m.Subject, w.inbox)
	if number, ok := strings.CutPrefix(text, shownToken); ok {
		if len(m.Header) == 0 { // those of NATS say that nobody is there
			w.mirrored(number, string(m.Data))
		}
		return
	}
	number, err := strconv.ParseUint(text, 10, 64)
	b := w.under[number]
	if err != nil || b == nil {
		return // it was given up
	}
	if err := refused(m); err != nil {
		w.finish(number, err)
	} else if b.answers--; b.answers == 0 {
		w.finish(number, nil)
	}
}

// refused returns why JetStream has not taken a message.
func refused(m *nats.Msg) error {
	if m.Header.Get("Status") == "503" {
		return nats.ErrNoResponders
	}
	var a struct{ Error *jetstream.APIError }
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return fmt.Errorf("journal: an answer of JetStream: %w", err)
	}
	if a.Error != nil {
		return a.Error
	}
	return nil
}

var errTimeout = errors.New("journal: no answer in time")

// sweep gives up what has no answer in time. Then it tries again what has failed, or makes room.
func (w *writer) sweep() {
	now := time.Now()
	w.sweepShown(now)
	for number, b := range w.under {
		if now.Sub(b.began) >= writeTimeout {
			w.finish(number, errTimeout)
		}
	}
	if w.epoch != 0 && !w.journal.own(w.key()) {
		w.live(0)
	}
	switch {
	case w.failing.IsZero():
		w.send(w.erasures())
		for _, s := range w.slots.sparse(256) {
			w.enqueue(s)
		}
	case len(w.under) == 0:
		w.retry(256)
	}
}

// retry puts what has failed into the line once more, at most so many calls.
func (w *writer) retry(most int) {
	n := min(most, len(w.failed))
	for _, s := range w.failed[:n] {
		s.failed = false
		w.enqueue(s)
	}
	if w.failed = slices.Delete(w.failed, 0, n); len(w.failed) == 0 {
		w.failed = nil
	}
	w.line.mu.Lock()
	defer w.line.mu.Unlock()
	for e, calls := range w.unwritten {
		w.line.told[e] = append(w.line.told[e], calls...)
	}
	w.unwritten = nil
}

// finish notes what has become of a batch.
func (w *writer) finish(number uint64, err error) {
	b := w.under[number]
	delete(w.under, number)
	if err != nil {
		w.undo(b)
		w.fail(err)
		return
	}
	j, now := w.journal, time.Now()
	if !w.failing.IsZero() {
		j.options.Logger.Info("journal: writing again", slog.Duration("after", now.Sub(w.failing)))
		w.failing = time.Time{}
		w.retry(len(w.failed))
	}
	j.available.Store(true)
	j.options.Ledger.Waive(false)
	for _, s := range b.erased {
		b.slots.erased(s, now)
	}
	if b.slot != nil {
		b.slots.wrote(b.slot, b.entries, now)
	}
	for _, of := range b.bodies {
		if of.state.bodies = of.kept; len(of.kept) == 0 {
			of.state.bodies = nil
		}
	}
	if len(b.entries)+len(b.told) > 0 {
		j.batches.Add(1)
	}
	j.purged.Add(uint64(len(b.told)))
	for _, e := range b.entries {
		if e.over {
			j.purged.Add(1)
			continue
		}
		j.written.Add(1)
		if e.state.call != nil {
			e.state.call.Kept(e.revision)
		}
	}
	j.records.Store(int64(w.slots.calls))
}

// undo notes that nobody knows whether a batch was written.
func (w *writer) undo(b *batch) {
	if b.slot != nil {
		b.slots.failed(b.slot)
	}
	for _, s := range b.erased {
		b.slots.failed(s)
	}
	for _, of := range b.bodies { // they may be there, so they must go one day
		if of.state.bodies == nil {
			of.state.bodies = make(map[uuid.UUID]bool)
		}
		maps.Copy(of.state.bodies, of.kept)
	}
	for _, e := range b.entries {
		if !e.state.failed {
			e.state.failed = true
			w.failed = append(w.failed, e.state)
		}
		if w.journal.options.Majority > 0 { // who waits may have come between two takes
			w.toShow(e.state)
		}
	}
	if len(b.told) > 0 {
		if w.unwritten == nil {
			w.unwritten = make(map[Epoch][]uuid.UUID)
		}
		w.unwritten[b.of] = append(w.unwritten[b.of], b.told...)
	}
}

// fail notes that a write has failed.
func (w *writer) fail(err error) {
	j := w.journal
	j.failed.Add(1)
	j.available.Store(false)
	switch now := time.Now(); {
	case w.failing.IsZero():
		w.failing = now
		j.options.Logger.Warn("journal: a write has failed", slog.Any("error", err))
	case now.Sub(w.failing) > giveUpAfter && w.relies():
		j.options.Ledger.Waive(true)
	}
}

// drained lets go who waits until all is written, if it is.
func (w *writer) drained() {
	w.line.mu.Lock()
	told := len(w.line.told) + len(w.unwritten)
	w.line.mu.Unlock()
	if len(w.queue)+len(w.failed)+len(w.under)+len(w.show.forBucket)+told > 0 ||
		w.journal.options.Ledger.Stats().Changed > 0 {
		return
	}
	for _, done := range w.waiters {
		close(done)
	}
	w.waiters = nil
}

// drain waits until all is written, or ctx ends.
func (w *writer) drain(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case w.drains <- done:
	case <-w.ended:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-done:
		return nil
	case <-w.ended:
		return errors.New("journal: closed")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
