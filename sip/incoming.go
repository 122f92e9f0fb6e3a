package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// incoming is what a call that comes in has until it is decided.
type incoming struct {
	invite  *sipgo.Request
	tx      *sipgo.ServerTx
	decided chan struct{} // closed when a final response was sent, or the caller has given up
	once    sync.Once
	rings   sync.WaitGroup // Ring that has not returned; nobody begins one once it is decided
}

func (i *incoming) decide() { i.once.Do(func() { close(i.decided) }) }

// invited takes a call that comes in, and returns when it is decided and acknowledged.
func (a *Agent) invited(r *sipgo.Request, tx *sipgo.ServerTx) {
	if to := r.Contact(); to == nil || to.Address.Scheme != "sip" && to.Address.Scheme != "sips" {
		a.respond(tx, r, sipgo.StatusBadRequest) // there is nowhere to send a BYE (RFC 3261, 8.1.1.8)
		return
	}
	if _, tooShort := grant(askedOf(r), a.options.SessionInterval); tooShort {
		a.respond(tx, r, statusIntervalTooLow, minSE())
		return
	}
	c, err := a.receive(r, tx)
	switch {
	case errors.Is(err, errMerged):
		a.respond(tx, r, sipgo.StatusLoopDetected)
		return
	case errors.Is(err, ErrNotAcceptable):
		a.respond(tx, r, sipgo.StatusNotAcceptableHere)
		a.log.Info("call without a codec in common", slog.String("error", escaped(err.Error())))
		return
	case err != nil:
		a.respond(tx, r, sipgo.StatusServiceUnavailable)
		a.log.Warn("call refused", slog.String("error", escaped(err.Error())))
		return
	}
	a.announce(c)
	timer := time.NewTimer(a.options.RingTime)
	defer timer.Stop()
	select {
	case <-c.incoming.decided:
	case <-timer.C:
		_ = c.reject(sipgo.StatusTemporarilyUnavailable, NoAnswer)
	case <-tx.Done():
		c.finish(Failed) // the stack has lost it
	}
	c.incoming.rings.Wait() // the stack would forget a transaction whose last response is a 180
	c.mu.Lock()
	awaited := c.awaited
	c.mu.Unlock()
	if awaited != nil && awaited.number == r.CSeq().SeqNo { // else a re-INVITE has come meanwhile
		c.awaitAck(awaited)
	}
}

// receive makes a call of an INVITE.
func (a *Agent) receive(r *sipgo.Request, tx *sipgo.ServerTx) (*Call, error) {
	host, err := a.hostFor(context.Background(), r.Source())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	c, err := a.newCall(calledBy(r, sipgo.GenerateTagN(16), a.contact(host)), host)
	if err != nil {
		return nil, err
	}
	c.source = hostOf(r.Source())
	if !a.places.isTrunk(c.source) {
		c.line.bound(a.unheard)
	}
	c.callerKey = key(r.CallID().Value(), tagOf(r.From().Params))
	c.from = party(r.From().DisplayName, r.From().Address)
	c.to = called(r)
	c.incoming = &incoming{invite: r, tx: tx, decided: make(chan struct{})}
	c.stage = trying
	c.order = order{begun: true, last: int64(r.CSeq().SeqNo)}
	c.interval, _ = grant(askedOf(r), a.options.SessionInterval)
	if body := r.Body(); len(body) > 0 {
		_, s, err := c.describe(func(l local) ([]byte, session, error) { return answer(body, l) })
		if err != nil {
			c.finish(Failed)
			return nil, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
		}
		c.hear(s)
	} else {
		_, _, _ = c.describe(offering)
	}
	if err := a.add(c); err != nil {
		c.line.close() // nobody knows of the call
		return nil, err
	}
	// Called by the stack, which holds a lock of its own: after this it answers 487.
	if !tx.OnCancel(func(*sipgo.Request) { c.cancelled() }) {
		c.finish(Cancelled)
		return nil, ErrCancelled
	}
	return c, nil
}

// called returns who is called: by the request's URI, which whoever is on the way has looked at and
// changed, not by To, which is the caller's word to be shown (RFC 3261, 8.1.1.2 and 8.2.2.1),
// unless the URI has no user.
func called(r *sipgo.Request) Party {
	to := party(r.To().DisplayName, r.To().Address)
	if r.Recipient.User == "" || r.Recipient.User == to.User {
		return to
	}
	return party("", r.Recipient)
}

// offering makes our offer, of which nothing is agreed yet.
func offering(l local) ([]byte, session, error) { return offer(l), session{}, nil }

// announce gives a call to the agent's owner.
func (a *Agent) announce(c *Call) {
	c.log.Info("call comes in", slog.String("from", escaped(c.from.URI)),
		slog.String("name", escaped(c.from.Name)), slog.String("to", escaped(c.to.URI)))
	if a.options.Incoming == nil {
		_ = c.reject(sipgo.StatusTemporarilyUnavailable, Rejected)
		return
	}
	c.callback("Incoming", func() { a.options.Incoming(c) }, func(returned bool) {
		if !returned {
			_ = c.reject(sipgo.StatusInternalServerError, Failed)
		}
	})
}

// cancelled ends the call since the caller has given up. The answer, if one is being sent, finds
// out by itself.
func (c *Call) cancelled() {
	if c.finishBefore(answered, Cancelled) {
		c.forget()
		c.incoming.decide()
	}
}

// Ring sends the caller a 180: it rings. It may be called again. Errors: [ErrCancelled] if the
// caller has given up at the same time, [ErrEnded], also for a call that was decided, or that is
// ours, and what kept the response from being sent.
func (c *Call) Ring() error {
	if c.incoming == nil || !c.beginRing() {
		return ErrEnded
	}
	defer c.incoming.rings.Done()
	return c.reply(c.response(180, nil))
}

// beginRing counts one more Ring, if the call may ring.
func (c *Call) beginRing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	may := c.stage.take(ring)
	if may {
		c.incoming.rings.Add(1)
	}
	return may
}

// reply sends a response to the INVITE that has brought the call. If a CANCEL has come at the same
// time the stack has answered 487, and would repeat what it is given last: it gets that.
func (c *Call) reply(r *sipgo.Response) error {
	err := c.incoming.tx.Respond(r)
	switch {
	case errors.Is(err, sipgo.ErrTransactionCanceled):
		_ = c.incoming.tx.Respond(c.response(487, nil))
		return ErrCancelled
	case err != nil:
		return fmt.Errorf("sip: response %d: %w", r.StatusCode, err)
	default:
		return nil
	}
}

// Answer connects the caller (200). From then on the line is alive; [Call.Established] says when
// the caller knows. If it never does the call ends after 32 s. Errors: [ErrCancelled] if the caller
// has given up at the same time, [ErrEnded] for a call that was decided or is ours, and what kept
// the answer from being sent, which ends the call.
func (c *Call) Answer() error {
	if c.incoming == nil {
		return ErrEnded
	}
	c.mu.Lock()
	body, granted := c.offered, c.interval // nobody changes them before the answer
	c.mu.Unlock()
	response := c.response(sipgo.StatusOK, body)
	addInterval(response, granted)
	awaited := newAwaited(c.incoming.invite, c.incoming.tx, response)
	if err := c.pickUp(awaited); err != nil {
		return err
	}
	defer c.incoming.decide()
	err := c.reply(response)
	if err == nil {
		return nil
	}
	awaited.acknowledge() // there is nothing to wait for
	if errors.Is(err, ErrCancelled) {
		c.finish(Cancelled)
	} else {
		c.finish(Failed)
	}
	return err
}

// pickUp decides to answer: from then on an ACK is awaited.
func (c *Call) pickUp(a *awaited) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stage.take(pickUp):
		c.awaited = a
		return nil
	case c.end == Cancelled:
		return ErrCancelled
	default:
		return ErrEnded
	}
}

// Reject refuses the call with a status from 400 to 699, such as 486 (busy) or 603 (declined).
// Errors: [ErrEnded] for a call that was decided or is ours, and for another status.
func (c *Call) Reject(status int) error {
	if status < 400 || status > 699 {
		return fmt.Errorf("sip: status is %d, must be 400 to 699", status)
	}
	return c.reject(status, Rejected)
}

// Redirect has the caller call another URI instead (302), as in "sip:alice@example.com". Errors:
// [ErrEnded] for a call that was decided or is ours, and for a URI that is none.
func (c *Call) Redirect(uri string) error {
	to, err := parseURI(uri)
	if err != nil {
		return err
	}
	return c.reject(sipgo.StatusMovedTemporarily, Rejected, &sipgo.ContactHeader{Address: to})
}

func (c *Call) reject(status int, why End, headers ...sipgo.Header) error {
	if c.incoming == nil {
		return ErrEnded
	}
	if !c.finishBefore(answered, why) {
		return ErrEnded
	}
	c.forget()
	defer c.incoming.decide()
	return c.reply(c.response(status, nil, headers...))
}

func (c *Call) take(s step) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stage.take(s)
}

// response returns a response to the INVITE that has brought the call.
func (c *Call) response(status int, body []byte, headers ...sipgo.Header) *sipgo.Response {
	return c.answerTo(c.incoming.invite, status, body, headers...)
}

// answerTo returns a response to an INVITE of the peer's.
func (c *Call) answerTo(
	invite *sipgo.Request, status int, body []byte, headers ...sipgo.Header,
) *sipgo.Response {
	r := sipgo.NewResponseFromRequest(invite, status, reasonOf(status), nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	r.To().Params.Add("tag", tagOf(c.dialog.local.Params))
	for _, h := range headers {
		r.AppendHeader(h)
	}
	if r.Contact() == nil && status < 300 {
		r.AppendHeader(c.dialog.contact.Clone())
	}
	if body != nil {
		r.AppendHeader(sipgo.NewHeader("Content-Type", contentSDP))
		r.SetBody(body)
	}
	if status == sipgo.StatusOK {
		r.AppendHeader(sipgo.NewHeader("Allow", allowed))
		r.AppendHeader(sipgo.NewHeader("Supported", supported))
	}
	return r
}
