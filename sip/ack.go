package sip

import (
	"log/slog"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// awaited is a 200 to an INVITE, which is sent again and again until its ACK comes: the stack does
// not, or in other intervals than RFC 3261, 13.3.1.4, has them.
type awaited struct {
	number   uint32 // of the INVITE
	tx       *sipgo.ServerTx
	response *sipgo.Response
	offers   bool // the response has our offer: the ACK has the answer

	once sync.Once
	over chan struct{} // closed when the ACK has come, or is not awaited any more
}

func newAwaited(invite *sipgo.Request, tx *sipgo.ServerTx, r *sipgo.Response) *awaited {
	return &awaited{
		number: invite.CSeq().SeqNo, tx: tx, response: r, offers: len(invite.Body()) == 0,
		over: make(chan struct{}),
	}
}

func (a *awaited) acknowledge() { a.once.Do(func() { close(a.over) }) }

// awaitAck repeats the 200 until the ACK comes, and ends the call if it never does.
func (c *Call) awaitAck(a *awaited) {
	start := time.Now()
	pause := time.Duration(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		pause = repeats(time.Since(start), pause)
		timer.Reset(pause)
		select {
		case <-a.over:
			return
		case <-c.agent.closed:
			return
		case <-timer.C:
		}
		if time.Since(start) >= giveUp {
			break
		}
		_ = a.tx.Respond(a.response)
	}
	a.acknowledge() // it is given up: now there may be a BYE
	c.leave(NoAck)
}

// acknowledged takes an ACK.
func (c *Call) acknowledged(r *sipgo.Request) {
	c.mu.Lock()
	a := c.awaited
	if a == nil || a.number != r.CSeq().SeqNo {
		c.mu.Unlock()
		return
	}
	select {
	case <-a.over: // it was repeated
		c.mu.Unlock()
		return
	default:
	}
	confirmed := c.stage.take(confirm)
	c.mu.Unlock()
	defer a.acknowledge()
	if a.offers && !c.answered(r.Body()) {
		a.acknowledge()
		c.leave(Failed)
		return
	}
	if confirmed {
		c.confirmed()
	}
}

// answered takes the peer's answer to an offer of ours.
func (c *Call) answered(body []byte) bool {
	s, err := accept(body)
	if err != nil {
		c.log.Info("no media in common", slog.String("error", escaped(err.Error())))
		return false
	}
	c.hear(s)
	return true
}

// hear has the line do what was agreed, with who signals from where the peer's last message came.
func (c *Call) hear(s session) {
	c.mu.Lock()
	s.source = hostOf(c.dialog.source)
	c.mu.Unlock()
	c.line.set(s)
}

// confirmed is when both ends know that the call was answered.
func (c *Call) confirmed() {
	c.line.agree()
	close(c.established)
	c.log.Info("call established")
	c.restartSession()
}
