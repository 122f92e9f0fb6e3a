package sip

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// askedOf returns what a message says of the session interval.
func askedOf(m sipgo.Message) asked {
	var a asked
	for _, name := range []string{"Session-Expires", "x"} { // and its compact form
		for _, h := range m.GetHeaders(name) {
			a.length, a.refresher = parseInterval(h.Value())
		}
	}
	for _, name := range []string{"Supported", "k", "Require"} {
		for _, h := range m.GetHeaders(name) {
			a.supported = a.supported || has(h.Value(), supported)
		}
	}
	return a
}

// has reports whether a list has a word.
func has(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(w), word) {
			return true
		}
	}
	return false
}

func minSE() sipgo.Header {
	return sipgo.NewHeader("Min-SE", strconv.Itoa(int(minSession/time.Second)))
}

// addInterval adds to a 200 what was granted.
func addInterval(r *sipgo.Response, i interval) {
	if i.length > 0 {
		r.AppendHeader(sipgo.NewHeader("Session-Expires", i.header()))
		r.AppendHeader(sipgo.NewHeader("Require", supported))
	}
}

// restartSession begins the session's interval, after the answer and after each refresh.
func (c *Call) restartSession() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range []*time.Timer{c.expiry, c.refresh} {
		if t != nil {
			t.Stop()
		}
	}
	if c.interval.length == 0 || c.stage == ended {
		return
	}
	c.expiry = time.AfterFunc(c.interval.expiry(), func() { c.leave(Expired) })
	if c.interval.refresher == ourselves {
		c.refresh = time.AfterFunc(c.interval.refresh(), c.refreshSession)
	}
}

// refreshSession refreshes the session by a re-INVITE that changes nothing.
func (c *Call) refreshSession() {
	c.mu.Lock()
	if c.stage != established {
		c.mu.Unlock()
		return
	}
	c.refreshing = true
	r := c.dialog.request(sipgo.INVITE)
	length := c.interval.length
	c.mu.Unlock()
	body, _, _ := c.describe(offering)
	r.AppendHeader(sipgo.NewHeader("Content-Type", contentSDP))
	r.SetBody(body)
	r.AppendHeader(sipgo.NewHeader("Allow", allowed))
	r.AppendHeader(sipgo.NewHeader("Supported", supported))
	r.AppendHeader(minSE())
	r.AppendHeader(sipgo.NewHeader("Session-Expires",
		strconv.Itoa(int(length/time.Second))+";refresher=uac"))
	tx, err := c.agent.send(context.Background(), r)
	var response *sipgo.Response
	if err == nil {
		response, err = c.reinvite(tx, r)
	}
	c.mu.Lock()
	c.refreshing = false
	c.mu.Unlock()
	switch {
	case errors.Is(err, ErrEnded):
	case err == nil && response.IsSuccess():
		c.refreshed(response)
	case errors.Is(err, sipgo.ErrTransactionTimeout), err == nil && lost(response.StatusCode):
		c.leave(Failed) // RFC 3261, 12.2.1.2
	default: // such as 491: another one may come through, before the session expires
		c.mu.Lock()
		if c.stage == established {
			c.refresh.Reset(refreshAgain)
		}
		c.mu.Unlock()
	}
}

// refreshAgain is when a refresh that has failed is tried again (RFC 3261, 14.1).
const refreshAgain = 3 * time.Second

// lost reports whether a response means that the peer knows nothing of the call.
func lost(status int) bool {
	return status == sipgo.StatusCallTransactionDoesNotExists || status == sipgo.StatusRequestTimeout
}

// reinvite waits for the final response to a re-INVITE of ours, and acknowledges one of success,
// as often as it comes. It does so too when the call ends before that, since the peer answers what
// is pending (RFC 3261, 15.1.2) and wants its ACK, but not for longer than 32 s: once the peer has
// sent a 100 the stack would keep the transaction for ever.
func (c *Call) reinvite(tx *sipgo.ClientTx, r *sipgo.Request) (*sipgo.Response, error) {
	tx.OnRetransmission(func(*sipgo.Response) { c.acknowledge(r.CSeq().SeqNo) })
	done := c.done
	patience := time.NewTimer(giveUp)
	defer patience.Stop()
	patience.Stop() // until the call has ended
	for {
		select {
		case response := <-tx.Responses():
			if response.IsSuccess() {
				c.acknowledge(r.CSeq().SeqNo)
			}
			if !response.IsProvisional() {
				return response, nil
			}
		case <-done:
			done = nil
			patience.Reset(giveUp)
		case <-patience.C:
			tx.Terminate()
			return nil, ErrEnded
		case <-tx.Done():
			return nil, tx.Err()
		}
	}
}

// refreshed takes a 200 to a re-INVITE of ours.
func (c *Call) refreshed(r *sipgo.Response) {
	if !c.answered(r.Body()) {
		c.leave(Failed)
		return
	}
	c.mu.Lock()
	c.dialog.refreshedBy(r, r.Contact())
	if i := granted(askedOf(r)); i.length > 0 {
		c.interval = i
	}
	c.mu.Unlock()
	c.restartSession()
}

// acknowledge sends the ACK to a 200.
func (c *Call) acknowledge(number uint32) {
	c.mu.Lock()
	r := c.dialog.numbered(sipgo.ACK, number)
	c.mu.Unlock()
	_ = c.agent.write(r) // if it is lost the 200 comes again
}
