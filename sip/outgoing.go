package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// Target is whom a call of ours is for, and how it is shown.
type Target struct {
	// To is a URI as in "sip:+15550100@192.0.2.7:5060", over UDP. Required.
	To string

	// From is what the called one sees: a name, may be empty, and a user part. Default: no name,
	// and the agent's User.
	Name, From string

	// Watch is called with each state as it comes, one at a time, on a goroutine of its own: it may
	// block, which holds up the call until it is given up. If it panics or exits the goroutine, that
	// is logged.
	Watch func(State)
}

// State is how far a call of ours has come, before it is answered.
type State uint8

// The states.
const (
	Trying  State = iota + 1 // the peer has got the call
	Ringing                  // the called one's telephone rings
)

// String returns the name, such as "ringing".
func (s State) String() string {
	switch s {
	case Trying:
		return "trying"
	case Ringing:
		return "ringing"
	default:
		return ""
	}
}

// outgoing is what a call of ours has until it is decided.
type outgoing struct {
	watch  func(State)
	dialed atomic.Bool   // by Dial
	gaveUp chan struct{} // closed when the call is not wanted any more
}

// NewCall returns a call of ours. Its line and its tones are there, so that its media can be made;
// [Call.Dial] makes it ring. A call that is not dialed must be hung up. Errors: [ErrUnavailable],
// and what is wrong with the target.
func (a *Agent) NewCall(ctx context.Context, t Target) (*Call, error) {
	to, err := parseURI(t.To)
	if err != nil {
		return nil, err
	}
	if t.From == "" {
		t.From = a.options.User
	}
	if !isUser(t.From) {
		return nil, fmt.Errorf("sip: From is %q, must be letters, digits and -_.+", clip(t.From))
	}
	if !isName(t.Name) {
		return nil, fmt.Errorf("sip: Name is %q, must be printable, without quotes, at most 128 bytes",
			clip(t.Name))
	}
	port := to.Port
	if port == 0 {
		port = sipgo.DefaultUdpPort
	}
	host, err := a.hostFor(ctx, net.JoinHostPort(to.Host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("sip: To: %w", err)
	}
	contact := a.contact(host)
	from := sipgo.FromHeader{DisplayName: t.Name, Address: *contact.Address.Clone()}
	from.Address.User = t.From
	from.Params.Add("tag", sipgo.GenerateTagN(16))
	c, err := a.newCall(dialog{
		callID: sipgo.GenerateTagN(32), local: from, remote: sipgo.ToHeader{Address: *to.Clone()},
		contact: contact, target: to, sequence: random() >> 8,
	}, host)
	if err != nil {
		return nil, err
	}
	c.from, c.to = party(t.Name, from.Address), party("", to)
	c.outgoing = &outgoing{watch: t.Watch, gaveUp: make(chan struct{})}
	if err := a.add(c); err != nil {
		c.line.close() // nobody knows of the call
		return nil, err
	}
	return c, nil
}

// Dial makes a call of ours ring, and waits until it is answered; then it is established. If ctx
// ends before that the call is cancelled. A call that was not answered has ended. Errors:
// [*StatusError], which is [ErrBusy], [ErrNoAnswer] or [ErrDeclined]; [ErrNoAnswer] also if the
// peer has said nothing for 32 s, or the deadline of ctx has passed; [ErrCancelled] with the cause
// of ctx, or if the call was hung up; [ErrNotAcceptable]; [ErrEnded] if it came in, or was dialed.
func (c *Call) Dial(ctx context.Context) error {
	if c.outgoing == nil || !c.outgoing.dialed.CompareAndSwap(false, true) {
		return ErrEnded
	}
	if !c.take(dial) { // it was hung up
		c.forget()
		return ErrEnded
	}
	result := make(chan error, 1)
	c.agent.work.Go(func() { //nolint:contextcheck // it is taken back beyond ctx
		result <- c.invite()
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	if !c.giveUp(giveUpFor(ctx)) { // it was answered at the same time
		select {
		case <-c.established:
			return nil
		case err := <-result:
			return err
		case <-c.done:
		}
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrNoAnswer, context.Cause(ctx))
	}
	return fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
}

func giveUpFor(ctx context.Context) End {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return NoAnswer
	}
	return Cancelled
}

// giveUp has a call of ours cancelled that was not answered. It reports false for any other.
func (c *Call) giveUp(why End) bool {
	if c.outgoing == nil || !c.finishBefore(answered, why) {
		return false
	}
	close(c.outgoing.gaveUp)
	if !c.outgoing.dialed.Load() {
		c.forget()
	}
	return true
}

// invite sends the INVITE and takes what comes of it.
func (c *Call) invite() error {
	err := c.inviteFor(c.agent.options.SessionInterval)
	if short, ok := errors.AsType[*tooShortError](err); ok { // RFC 4028, 7.3
		err = c.inviteFor(short.least)
	}
	if err != nil {
		c.finishKept(endFor(err)) // if it was not given up
		c.forget()
	}
	return err
}

// endFor returns why a call of ours ends that was not answered.
func endFor(err error) End {
	var status *StatusError
	switch {
	case errors.Is(err, ErrNoAnswer):
		return NoAnswer
	case errors.As(err, &status):
		return Rejected
	default:
		return Failed
	}
}

// tooShortError is a 422: the session interval must be longer.
type tooShortError struct {
	StatusError

	least time.Duration
}

func (c *Call) inviteFor(length time.Duration) error {
	body, _, _ := c.describe(offering)
	c.mu.Lock()
	r := c.dialog.request(sipgo.INVITE)
	c.mu.Unlock()
	r.AppendHeader(sipgo.NewHeader("Content-Type", contentSDP))
	r.SetBody(body)
	r.AppendHeader(sipgo.NewHeader("Allow", allowed))
	r.AppendHeader(sipgo.NewHeader("Supported", supported))
	r.AppendHeader(sipgo.NewHeader("Session-Expires",
		strconv.Itoa(int(length/time.Second))+";refresher=uas"))
	c.log.Info("call goes out", slog.String("to", escaped(c.to.URI)))
	tx, err := c.agent.send(context.Background(), r)
	if err != nil {
		return fmt.Errorf("sip: dial: %w", err)
	}
	return c.converse(tx, r)
}

// converse takes the responses to an INVITE of ours. An INVITE may be cancelled when the peer has
// it, and not before (RFC 3261, 9.1). Whoever answers at the same time is hung up on.
func (c *Call) converse(tx *sipgo.ClientTx, invite *sipgo.Request) error {
	gaveUp := c.outgoing.gaveUp
	unwanted, had := false, false
	patience := time.NewTimer(time.Hour)
	patience.Stop()
	defer patience.Stop()
	for {
		select {
		case r := <-tx.Responses():
			if !r.IsProvisional() {
				return c.final(tx, invite, r)
			}
			if unwanted && !had {
				c.cancel(invite)
			}
			had = true
			c.progress(r.StatusCode)
		case <-gaveUp:
			gaveUp, unwanted = nil, true
			patience.Reset(giveUp)
			if had {
				c.cancel(invite)
			}
		case <-patience.C: // an old peer that has no answer to a cancelled call
			tx.Terminate()
			return ErrCancelled
		case <-tx.Done():
			if errors.Is(tx.Err(), sipgo.ErrTransactionTimeout) {
				return fmt.Errorf("%w: peer is silent", ErrNoAnswer)
			}
			return fmt.Errorf("sip: dial: %w", tx.Err())
		case <-c.agent.closed:
			return ErrUnavailable
		}
	}
}

// progress reports how far the call has come, and waits until that has been taken.
func (c *Call) progress(status int) {
	state := Trying
	if status > sipgo.StatusTrying {
		state = Ringing
		c.take(ring)
	}
	select {
	case <-c.outgoing.gaveUp: // the last state may still be being reported
		return
	default:
	}
	if c.outgoing.watch == nil {
		return
	}
	watched := make(chan struct{})
	c.callback("Watch", func() { c.outgoing.watch(state) }, func(bool) { close(watched) })
	select {
	case <-watched:
	case <-c.outgoing.gaveUp: // the peer gets the CANCEL, whether Watch returns or not
	case <-c.agent.closed:
	}
}

// cancel takes an INVITE back.
func (c *Call) cancel(invite *sipgo.Request) {
	r := sipgo.NewRequest(sipgo.CANCEL, invite.Recipient)
	r.SetTransport("UDP")
	r.AppendHeader(sipgo.HeaderClone(invite.Via())) // the same branch: so it is found
	for _, name := range []string{"Route", "From", "To", "Call-ID", "Max-Forwards"} {
		sipgo.CopyHeaders(name, invite, r)
	}
	r.AppendHeader(&sipgo.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sipgo.CANCEL})
	r.SetDestination(invite.Destination())
	c.agent.work.Go(func() {
		if tx, err := c.agent.send(context.Background(), r); err == nil {
			_ = c.agent.final(tx) // the INVITE's response says what comes of it
		}
	})
}

// final takes the final response to an INVITE of ours.
func (c *Call) final(tx *sipgo.ClientTx, invite *sipgo.Request, r *sipgo.Response) error {
	switch {
	case r.StatusCode == statusIntervalTooLow:
		least := time.Duration(0)
		for _, h := range r.GetHeaders("Min-SE") {
			least, _ = parseInterval(h.Value())
		}
		if least > c.agent.options.SessionInterval && least <= maxInterval {
			return &tooShortError{StatusError{r.StatusCode, r.Reason}, least}
		}
		return &StatusError{r.StatusCode, r.Reason}
	case !r.IsSuccess():
		return &StatusError{r.StatusCode, r.Reason}
	}
	number := invite.CSeq().SeqNo
	tx.OnRetransmission(func(*sipgo.Response) { c.acknowledge(number) })
	c.mu.Lock()
	c.dialog.answeredBy(r)
	c.interval = granted(askedOf(r))
	wanted := c.stage.take(confirm)
	c.mu.Unlock()
	c.acknowledge(number)
	if !wanted {
		c.bye()
		return ErrCancelled
	}
	if !c.answered(r.Body()) {
		c.leave(Failed)
		return ErrNotAcceptable
	}
	c.confirmed()
	return nil
}

// parseURI reads a URI that can be called.
func parseURI(s string) (sipgo.Uri, error) {
	const most = 512
	var uri sipgo.Uri
	if len(s) > most || !isPrintable(s) {
		return uri, fmt.Errorf("sip: URI is %q, must be printable, at most %d bytes", clip(s), most)
	}
	if err := sipgo.ParseUri(s, &uri); err != nil {
		return uri, fmt.Errorf("sip: URI is %q: %w", clip(s), err)
	}
	transport, _ := uri.UriParams.Get("transport")
	switch {
	case uri.Scheme != "sip" || uri.Wildcard || uri.Host == "":
		return uri, fmt.Errorf("sip: URI is %q, must be as in sip:alice@192.0.2.7", clip(s))
	case uri.Port < 0 || uri.Port > 65535:
		return uri, fmt.Errorf("sip: port of URI is %d, must be 1 to 65535", uri.Port)
	case transport != "" && !strings.EqualFold(transport, "udp"):
		return uri, fmt.Errorf("sip: transport of URI is %q, must be udp", clip(transport))
	}
	return uri, nil
}

// isPrintable reports whether s has nothing that could begin another header, or end a URI.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(`<>",`, r)
	})
}

// isName reports whether s can be shown.
func isName(s string) bool {
	return len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == '"' || r == '\\'
	})
}
