package member

import (
	"math"
	"slices"
	"time"
)

// machine decides everything about leases and deaths. It is pure: no lock, no clock, no timer, no
// goroutine, no connection. The shell in member.go gives it one input at a time, with the time on
// this node's clock, which is greater than zero. Then it sends what the input returned, and
// compares the state with what it has published: the lease and the view.
//
// A node has two parts. As an owner it beats, collects grants, and has a lease (epoch, began,
// grants). As a granter it judges the beats of others (peers). It is a granter of its own, too.
type machine struct {
	setup

	boot uint64 // of this process

	now   time.Duration
	awake time.Duration // what of it this process ran: silence counts only while it listens
	twin  time.Duration // awake time of the last sign of another process of this name, or 0
	met   time.Duration // and of the last beat of such a one

	epoch    Epoch
	began    time.Duration
	held     bool            // the lease has begun
	left     bool            // no lease begins any more
	grants   []time.Duration // by node: when the latest beat was sent that it granted, or 0
	supports []bool          // by node: it granted the latest beat, and is the same process still
	nextBeat time.Duration
	refusals []refusal // by node

	peers   []peer
	answers []voting // by node

	failure verdict // taken or misconfigured: the member has failed
	failing int     // because of this node
	theirs  string  // the configuration of that node
}

// setup is what a machine is made of.
type setup struct {
	self   int // the index of this node
	nodes  int
	config string        // what all nodes must have in common
	listen time.Duration // how long the process has no lease, at least
	timing Timing
}

// peer is what a granter knows of one node.
type peer struct {
	boot  uint64        // whom it grants, or 0 if nobody
	epoch Epoch         // of these
	heard time.Duration // awake time of the last beat

	floor   Epoch // it never grants this epoch, nor one before; it never sinks
	known   Epoch // the latest that others have withdrawn from, or that somebody has seen
	knownAt time.Duration
	held    Epoch   // the latest that is known to have held its lease
	dead    Epoch   // the latest that a majority has withdrawn from, with all before
	died    Epoch   // the latest that had held, of those that it never grants
	heirs   []Epoch // of these: by node, the epoch that is heir, or 0
}

// voting is what a granter has answered last.
type voting struct {
	sent   time.Duration // when the beat was sent that it answered, or 0
	floors []Epoch       // by node
}

// refusal is a granter's persistent refusal to grant this node.
type refusal struct {
	verdict verdict
	since   time.Duration // awake time
}

func newMachine(s setup, boot uint64, first Epoch, now time.Duration) *machine {
	m := &machine{
		setup: s, boot: boot, now: now, epoch: first, began: now, nextBeat: now,
		grants: make([]time.Duration, s.nodes), supports: make([]bool, s.nodes),
		refusals: make([]refusal, s.nodes), peers: make([]peer, s.nodes),
		answers: make([]voting, s.nodes),
	}
	for i := range m.peers {
		m.peers[i].heirs = make([]Epoch, s.nodes)
		m.answers[i].floors = make([]Epoch, s.nodes)
	}
	m.settle()
	return m
}

// tick lets time pass. It returns the beat to be sent, if one is due.
func (m *machine) tick(now time.Duration) (b beat, due bool) {
	m.advance(now)
	m.settle()
	if m.now < m.nextBeat {
		return beat{}, false
	}
	m.nextBeat = max(m.nextBeat+m.timing.Beat, m.now+m.timing.Beat/2)
	return m.beat(), true
}

// hear judges a beat of the node with this index, or of one that is not of the cluster if it is
// negative.
func (m *machine) hear(from int, b beat, now time.Duration) answer {
	m.advance(now)
	a := answer{Boot: b.Boot, Epoch: b.Epoch, Sent: b.Sent, Verdict: m.judge(from, b)}
	m.settle()
	if a.Verdict == misconfigured {
		a.Config = m.config
	} else {
		a.Nodes = m.reports()
	}
	return a
}

// receive takes in the answer of the node with this index to a beat of this node. An answer may
// come late, twice, and after those to later beats.
func (m *machine) receive(from int, a answer, now time.Duration) {
	m.advance(now)
	if a.Boot != m.boot || a.Sent <= 0 || a.Sent > m.now {
		return
	}
	m.refused(from, a)
	if from != m.self && len(a.Nodes) == m.nodes {
		m.learn(from, a)
		if a.Epoch == m.epoch {
			m.judged(from, a)
		}
	}
	m.settle()
}

// saw notes that somebody has seen an epoch of a node: in a journal, say. If the node does not beat
// it is withdrawn from in time.
func (m *machine) saw(node int, e Epoch, now time.Duration) {
	m.advance(now)
	m.know(node, e)
	m.settle()
}

// leave ends the epoch for good. It returns what is to be sent to all.
func (m *machine) leave(now time.Duration) beat {
	m.advance(now)
	b := m.beat()
	b.Held, b.Left = false, true
	m.left = true
	m.endEpoch()
	m.settle()
	return b
}

// until is when the epoch ends: a lease after the last beat was sent that a majority has granted,
// or after it began. Alone, it never ends.
func (m *machine) until() time.Duration {
	if m.nodes == 1 {
		return math.MaxInt64
	}
	return max(m.began, m.supported()) + m.timing.Lease
}

// supported is the latest time at or after which a majority granted beats that this node sent, or 0
// if no majority has in this epoch. This node grants itself, save while another process of its name
// may do the same: it listens first, for two beats or more.
func (m *machine) supported() time.Duration {
	var room [MaxNodes]time.Duration
	sent := append(room[:0], m.grants...)
	met := m.met > 0 && m.awake < m.met+m.timing.Death
	listens := met || m.awake < max(2*m.timing.Beat, m.listen)
	if m.held || !listens || m.nodes == 1 {
		sent[m.self] = m.now
	}
	return quorum(sent)
}

// supporters counts the nodes that have granted beats of the last lease and will grant more, this
// one among them. The grants of a process that has gone hold until their lease is over, but the one
// after it grants nothing for a while.
func (m *machine) supporters() (n int) {
	if !m.held {
		return 0
	}
	for i, sent := range m.grants {
		if i == m.self || m.supports[i] && sent > m.now-m.timing.Lease && sent >= m.began {
			n++
		}
	}
	return n
}

// quorum returns the greatest value that a majority has reached.
func quorum[T Epoch | time.Duration](values []T) T {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// advance lets time pass: the epoch may end, and nodes may have been silent for too long. When a
// process was paused, or its clock jumped, that counts as no more silence than a beat takes: there
// may be beats that it has not read.
func (m *machine) advance(now time.Duration) {
	elapsed := max(now-m.now, 0)
	m.now += elapsed
	m.awake += min(elapsed, m.timing.Beat)
	if m.now >= m.until() {
		m.endEpoch()
	}
	for i := range m.peers {
		if i != m.self {
			m.withdraw(i)
		}
	}
}

// mayGrant reports whether this node grants and withdraws. A process that has just started does not
// know what the one before it has granted, and lets that run out. Two processes of one name must
// not grant as one: that without a lease does not.
func (m *machine) mayGrant() bool {
	return m.awake >= m.timing.Death &&
		(m.held || m.twin == 0 || m.awake >= m.twin+m.timing.Death)
}

// withdraw withdraws from a node that was silent for too long. If it may not yet, it makes its name
// free at least: two nodes that took each other for taken would wait for ever.
func (m *machine) withdraw(i int) {
	p := &m.peers[i]
	if p.boot != 0 && m.awake-p.heard >= m.timing.Death {
		p.boot = 0
		if m.know(i, p.epoch); m.mayGrant() {
			m.raise(i, p.epoch)
		}
	}
	if m.mayGrant() && p.boot == 0 && p.known > p.floor && m.awake-p.knownAt >= m.timing.Death {
		m.raise(i, p.known)
	}
}

// raise withdraws from an epoch of a node and all before. Whoever lives now is heir to its calls,
// and this node is among them.
func (m *machine) raise(node int, floor Epoch) {
	p := &m.peers[node]
	if floor <= p.floor {
		return
	}
	p.floor = floor
	if p.held > p.died && p.held <= floor { // others never had calls
		p.died = p.held
		m.inherit(p)
	}
}

// inherit makes whoever lives now the heirs of a node.
func (m *machine) inherit(p *peer) {
	for i := range m.peers {
		p.heirs[i] = 0
		if m.live(i) {
			p.heirs[i] = m.peers[i].held
		}
	}
}

// live reports whether a node's latest epoch has held its lease, and has not ended.
func (m *machine) live(i int) bool {
	if i == m.self {
		return m.held
	}
	p := &m.peers[i]
	return p.held > max(p.floor, p.dead)
}

// endEpoch ends the epoch, and begins to ask for a lease of a later one. That is so, too, for an
// epoch that got no lease in time: it may have been declared dead already.
func (m *machine) endEpoch() {
	p := &m.peers[m.self]
	last := m.epoch
	m.epoch = max(last, p.known, p.dead) + 1
	m.began, m.nextBeat = m.now, m.now
	clear(m.grants)
	clear(m.supports)
	if m.held {
		m.held = false
		m.raise(m.self, last)
	}
}

// beginEpoch is for the moment in which the lease begins to hold: all epochs before are over.
func (m *machine) beginEpoch() {
	m.raise(m.self, m.epoch-1)
	m.held = true
	m.peers[m.self].held = m.epoch
	clear(m.refusals)
}

// judge decides on a beat. A granter grants one process of a name at a time, and that process only
// its latest epoch.
func (m *machine) judge(from int, b beat) verdict {
	if b.Config != m.config || from < 0 {
		return misconfigured
	}
	p := &m.peers[from]
	if b.Left || b.Boot != p.boot {
		m.supports[from] = false
	}
	switch {
	case from == m.self:
		m.meet(b.Boot)
		return taken
	case b.Epoch <= p.floor:
		return ended
	case p.boot != 0 && p.boot != b.Boot:
		return taken
	case p.boot == b.Boot && b.Epoch < p.epoch:
		return ended
	case b.Left:
		if p.boot == b.Boot {
			m.raise(from, b.Epoch)
			p.boot = 0
		}
		return ended
	}
	if p.boot == b.Boot && p.epoch < b.Epoch {
		m.raise(from, p.epoch) // the process itself says that it is over
	}
	p.boot, p.epoch, p.heard = b.Boot, b.Epoch, m.awake
	if b.Held {
		p.held = max(p.held, b.Epoch)
	}
	if !m.mayGrant() {
		return notYet
	}
	m.raise(from, b.Epoch-1)
	return granted
}

// meet notes that another process has the name of this node.
func (m *machine) meet(boot uint64) {
	if boot != m.boot {
		m.twin, m.met = m.awake, m.awake
	}
}

// patience is how many deaths a refusal may last that no new epoch mends. A process that died with
// this node's name is forgotten after one, unless beats of it come late.
const patience = 4

// refused notes whether a granter refuses this node for such a reason. If it lasts, the member
// fails.
func (m *machine) refused(by int, a answer) {
	r := &m.refusals[by]
	if m.held || a.Verdict != taken && a.Verdict != misconfigured {
		*r = refusal{}
		return
	}
	if a.Verdict == taken {
		m.twin = m.awake
	}
	if r.verdict != a.Verdict {
		*r = refusal{verdict: a.Verdict, since: m.awake}
	}
	if m.awake-r.since >= patience*m.timing.Death && m.failure == 0 {
		m.failure, m.failing, m.theirs = a.Verdict, by, a.Config
	}
}

// learn takes in what a granter tells of all nodes.
func (m *machine) learn(from int, a answer) {
	v := &m.answers[from]
	newest := a.Sent >= v.sent
	if newest {
		v.sent = a.Sent
	}
	for i, r := range a.Nodes {
		if newest {
			v.floors[i] = r.Floor
		}
		m.know(i, r.Floor)
		p := &m.peers[i]
		if i == m.self {
			m.know(i, r.Held) // of another process
		} else {
			p.held = max(p.held, r.Held)
		}
		if len(r.Heirs) != m.nodes || r.Died < p.died {
			continue
		}
		if r.Died > p.died {
			p.died = r.Died
			clear(p.heirs)
		}
		for j, e := range r.Heirs {
			p.heirs[j] = max(p.heirs[j], e)
		}
	}
}

func (m *machine) know(node int, e Epoch) {
	if p := &m.peers[node]; e > p.known {
		p.known, p.knownAt = e, m.awake
	}
}

// judged takes in a granter's verdict on the current epoch.
func (m *machine) judged(from int, a answer) {
	m.supports[from] = a.Verdict == granted
	switch {
	case a.Verdict == granted:
		m.grants[from] = max(m.grants[from], a.Sent) // sent, not received
	case a.Verdict == ended && !m.held:
		m.endEpoch() // there is a later one
	}
}

// settle draws the conclusions of an input.
func (m *machine) settle() {
	if !m.held && !m.left && m.supported() >= m.began {
		m.beginEpoch()
	}
	for i := range m.peers {
		m.decide(i)
	}
	for i := range m.peers {
		m.settleHeirs(&m.peers[i])
	}
}

// decide finds the latest epoch of a node that a majority has withdrawn from. The word of another
// node counts for a lease after the beat was sent that it answered: it may have restarted since,
// and a node that has restarted grants nothing for longer than that.
func (m *machine) decide(node int) {
	var room [MaxNodes]Epoch
	floors := room[:m.nodes]
	for i := range floors {
		v := &m.answers[i]
		switch {
		case i == m.self:
			floors[i] = m.peers[node].floor
		case v.sent > 0 && m.now < v.sent+m.timing.Lease:
			floors[i] = v.floors[node]
		}
	}
	p := &m.peers[node]
	p.dead = max(p.dead, quorum(floors))
}

// settleHeirs drops the heirs that have died. If none is left, whoever lives now takes their place.
func (m *machine) settleHeirs(p *peer) {
	if p.dead == 0 {
		return
	}
	left := false
	for i, e := range p.heirs {
		if e <= m.peers[i].dead {
			p.heirs[i] = 0
		}
		left = left || p.heirs[i] != 0
	}
	if !left && m.held {
		m.inherit(p)
	}
}

func (m *machine) beat() beat {
	return beat{Config: m.config, Boot: m.boot, Epoch: m.epoch, Sent: m.now, Held: m.held}
}

// reports is what this node tells of all.
func (m *machine) reports() []report {
	all := make([]report, m.nodes)
	for i := range all {
		p := &m.peers[i]
		all[i] = report{Floor: p.floor, Held: p.held}
		if slices.ContainsFunc(p.heirs, func(e Epoch) bool { return e != 0 }) {
			all[i].Died, all[i].Heirs = p.died, slices.Clone(p.heirs)
		}
	}
	return all
}

// view is what this node knows of the cluster.
func (m *machine) view(names []string) *View {
	v := &View{nodes: make([]nodeView, m.nodes)}
	for i := range v.nodes {
		p := &m.peers[i]
		n := nodeView{name: names[i], dead: p.dead}
		if m.live(i) {
			n.held = p.held
		}
		for j, e := range p.heirs {
			if e != 0 {
				n.heirs = append(n.heirs, names[j])
			}
		}
		v.nodes[i] = n
	}
	return v
}
