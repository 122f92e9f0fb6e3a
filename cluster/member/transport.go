package member

import (
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

// maxUnread bounds what waits to be read: when a process was paused, the oldest is lost.
const maxUnread = 1024

func (m *Member) beatSubject() string { return m.config.subject + ".member.beat" }

func (m *Member) answerSubject(name string) string {
	return m.config.subject + ".member.answer." + name
}

// subscribe has the connection's goroutines give the machine what comes in.
func (m *Member) subscribe(conn *nats.Conn) error {
	self := m.config.names[m.config.self]
	for subject, handle := range map[string]nats.MsgHandler{
		m.beatSubject():       m.onBeat,
		m.answerSubject(self): m.onAnswer,
	} {
		sub, err := conn.Subscribe(subject, handle)
		if err != nil {
			return err
		}
		m.subs = append(m.subs, sub)
		if err := sub.SetPendingLimits(maxUnread, maxUnread*maxMessage); err != nil {
			return err
		}
	}
	return nil
}

// unsubscribe is best effort: handlers do nothing once the member has ended.
func (m *Member) unsubscribe() {
	for _, sub := range m.subs {
		_ = sub.Unsubscribe() // fails if the connection is closed
	}
}

// post leaves a beat to be sent.
func (m *Member) post(b beat) {
	b.From = m.config.names[m.config.self]
	m.outbox.put(address{subject: m.beatSubject()}, encode(b))
}

// onBeat answers a beat, also of nodes that are not of the cluster: they get the reason.
func (m *Member) onBeat(msg *nats.Msg) {
	var b beat
	if decode(msg.Data, &b) != nil || b.check() != nil {
		return // of another version, or no node
	}
	from, ok := slices.BinarySearch(m.config.names, b.From)
	if !ok {
		from = -1
	}
	m.step(func(now time.Duration) {
		if b.Boot == m.machine.boot {
			return // its own
		}
		a := m.machine.hear(from, b, now)
		a.From, a.To = m.config.names[m.config.self], b.From
		m.outbox.put(address{m.answerSubject(b.From), b.Boot}, encode(a))
	})
}

// onAnswer takes in an answer. Those of nodes that are not of the cluster say that this one is
// configured differently; they count as this node's own.
func (m *Member) onAnswer(msg *nats.Msg) {
	var a answer
	if decode(msg.Data, &a) != nil || a.check(len(m.config.names)) != nil {
		return
	}
	from, ok := slices.BinarySearch(m.config.names, a.From)
	if !ok {
		if a.Verdict != misconfigured {
			return
		}
		from = m.config.self
	}
	m.step(func(now time.Duration) { m.machine.receive(from, a, now) })
}
