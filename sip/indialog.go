package sip

import (
	"log/slog"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"ivrqueue/tone"
)

// reinvited takes an INVITE in the call: the peer holds or resumes it, has moved, or refreshes the
// session. It returns when its 200 was acknowledged. What can't be had is refused, and nothing has
// changed then.
func (c *Call) reinvited(r *sipgo.Request, tx *sipgo.ServerTx) {
	status, awaited := c.renegotiate(r, tx)
	if awaited == nil {
		response := c.answerTo(r, status, nil)
		switch status {
		case sipgo.StatusInternalServerError: // RFC 3261, 14.2
			response.AppendHeader(sipgo.NewHeader("Retry-After", "2"))
		case statusIntervalTooLow:
			response.AppendHeader(minSE())
		}
		_ = tx.Respond(response)
		return
	}
	if tx.Respond(awaited.response) == nil {
		c.awaitAck(awaited)
	}
	awaited.acknowledge()
}

// renegotiate decides on a re-INVITE. It returns the 200 that it gets, or another status.
func (c *Call) renegotiate(r *sipgo.Request, tx *sipgo.ServerTx) (int, *awaited) {
	granted, tooShort := grant(askedOf(r), c.agent.options.SessionInterval)
	if tooShort {
		return statusIntervalTooLow, nil
	}
	c.mu.Lock()
	before, pending, refreshing := c.stage, c.awaited, c.refreshing
	// Who asks for more has got our answer, if the ACK with an answer to our offer is not due.
	confirmed := before == answered && !pending.offers && r.CSeq().SeqNo > pending.number &&
		c.stage.take(confirm)
	c.mu.Unlock()
	if confirmed {
		c.confirmed()
	}
	switch {
	case before < established && !confirmed:
		return sipgo.StatusInternalServerError, nil
	case before == ended:
		return sipgo.StatusCallTransactionDoesNotExists, nil
	case pending != nil && r.CSeq().SeqNo <= pending.number:
		return sipgo.StatusInternalServerError, nil // RFC 3261, 12.2.2
	case refreshing:
		return sipgo.StatusRequestPending, nil
	}
	body := r.Body()
	text, s, err := c.describe(func(l local) ([]byte, session, error) {
		if len(body) == 0 {
			return offering(l)
		}
		return answer(body, l)
	})
	if err != nil {
		c.log.Info("re-INVITE refused", slog.String("error", escaped(err.Error())))
		return sipgo.StatusNotAcceptableHere, nil
	}
	response := c.answerTo(r, sipgo.StatusOK, text)
	addInterval(response, granted)
	a := newAwaited(r, tx, response)
	c.mu.Lock()
	if c.stage == ended { // meanwhile: nobody would take the ACK
		c.mu.Unlock()
		return sipgo.StatusRequestTerminated, nil // RFC 3261, 15.1.2
	}
	c.awaited, c.interval = a, granted
	c.dialog.refreshedBy(r, r.Contact())
	c.mu.Unlock()
	if len(body) > 0 {
		c.hear(s)
	}
	if pending != nil {
		pending.acknowledge()
	}
	c.restartSession()
	return sipgo.StatusOK, a
}

// informed takes an INFO request. Those of keys count if keys do not come by RFC 4733. The key is
// delivered before the answer: whoever has that may hang up.
func (c *Call) informed(r *sipgo.Request, tx *sipgo.ServerTx) {
	pressed, ok := infoKey(contentType(r), string(r.Body()))
	if c.line.keysByRTP() {
		pressed = 0
	}
	c.inTurn(r, pressed)
	if !ok && len(r.Body()) > 0 {
		c.agent.respond(tx, r, sipgo.StatusUnsupportedMediaType, accepts(contentKeys))
		return
	}
	c.agent.respond(tx, r, sipgo.StatusOK)
}

// inTurn publishes a request's key, or none, when it is the request's turn, and those for which
// that is true now. It holds the lock, so that keys are published in order.
func (c *Call) inTurn(r *sipgo.Request, pressed tone.Tone) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.press(c.order.add(time.Now(), r.CSeq().SeqNo, pressed))
	c.waitForLate()
}

// waitForLate looks at the keys that wait for others again when these have not come in time.
func (c *Call) waitForLate() {
	wait, waits := c.order.wait(time.Now())
	switch {
	case !waits || c.stage == ended:
	case c.late == nil:
		c.late = time.AfterFunc(wait, c.lateIsOver)
	default:
		c.late.Reset(wait)
	}
}

func (c *Call) lateIsOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.press(c.order.due(time.Now()))
	c.waitForLate()
}

func (c *Call) press(keys []tone.Tone) {
	for _, t := range keys {
		_, _ = c.tones.Publish(t) // fails when the call has ended
	}
}
