package sip

import (
	"cmp"
	"context"
	"log/slog"
	"net/netip"
	"strconv"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"ivrqueue/media"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// Party is an end of a call, as the peer describes it: none of it can be trusted.
type Party struct {
	Name string // to be shown; may be empty
	User string // of the URI, such as a number; may be empty
	URI  string // as in sip:+15550100@example.com
}

// Call is one call: one SIP dialog, with its line and the stream of its keys. It comes in, see
// [Options].Incoming, or is made by [Agent.NewCall]. It is safe for concurrent use, and must not be
// copied. When it has ended, however it did, its line is silent and its stream of tones has ended.
type Call struct {
	agent       *Agent
	key         string     // ours
	callerKey   string     // the caller's, of a call that came in
	source      netip.Addr // from where it came in; zero if it is ours
	from, to    Party
	line        *Line
	tones       *tone.Stream
	log         *slog.Logger
	established chan struct{} // closed when both ends know
	done        chan struct{} // closed at the end
	incoming    *incoming     // nil if it is ours
	outgoing    *outgoing     // nil if it came in
	messages    bucket        // of the peer's

	mu       sync.Mutex // guards the block below
	stage    stage
	end      End
	dialog   dialog
	local    local  // what our session descriptions say
	offered  []byte // our last description
	awaited  *awaited
	order    order // of the peer's requests
	late     *time.Timer
	interval interval
	expiry   *time.Timer // of the session
	refresh  *time.Timer // if that is ours

	refreshing bool // a re-INVITE of ours is under way
}

// newCall makes a call, with a line at a free port.
func (a *Agent) newCall(d dialog, host netip.Addr) (*Call, error) {
	conn, port, err := a.ports.open()
	if err != nil {
		return nil, err
	}
	tag := tagOf(d.local.Params)
	c := &Call{
		agent: a, key: key(d.callID, tag), tones: new(tone.Stream), dialog: d,
		log:         a.log.With(slog.String("sip", escaped(d.callID))),
		established: make(chan struct{}), done: make(chan struct{}), messages: newBucket(maxPerCall),
		local: local{address: netip.AddrPortFrom(host, port), id: uint64(random())},
	}
	c.line = newLine(conn, c.tones, sender{ssrc: random(), sequence: uint16(random()), base: random()})
	return c, nil
}

// escaped is how what peers say gets into a log: short, and in ASCII that shows nothing but itself.
// It has no quotes around it: a handler that needs some puts them there.
func escaped(s string) string {
	quoted := strconv.QuoteToASCII(clip(s))
	return quoted[1 : len(quoted)-1]
}

// ID returns the Call-ID, which the caller has chosen.
func (c *Call) ID() string { return c.dialog.callID }

// String names the call by its Call-ID, escaped and cut, for logs: what is given to package fmt
// would be read without the lock otherwise.
func (c *Call) String() string { return "SIP call " + escaped(c.ID()) }

// From returns who calls.
func (c *Call) From() Party { return c.from }

// To returns who is called: of a call that came in by the URI of its request, and by To where that
// has no user.
func (c *Call) To() Party { return c.to }

// Line returns the call's audio.
func (c *Call) Line() *Line { return c.line }

// Tones returns the stream of the keys that the peer presses, by RFC 4733, or by INFO if the peer
// does not know that. Of more than 50 in a second, which nobody can press, the rest is dropped. It
// ends with the call.
func (c *Call) Tones() *tone.Stream { return c.tones }

// Established returns a channel that is closed when the call was answered and both ends know.
func (c *Call) Established() <-chan struct{} { return c.established }

// Done returns a channel that is closed when the call has ended.
func (c *Call) Done() <-chan struct{} { return c.done }

// End returns why the call has ended; zero before that.
func (c *Call) End() End {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// HangUp ends the call, at once for this end: a call that rings is declined (603) or cancelled,
// one that was answered gets a BYE. It waits until the peer has answered the BYE or can't be
// reached, or ctx ends, whose cause it returns; the peer gets the BYE all the same. For a call that
// has ended it does nothing.
func (c *Call) HangUp(ctx context.Context) error {
	select {
	case <-c.leave(HungUp): //nolint:contextcheck // the peer gets the BYE even if ctx ends
		return nil
	case <-ctx.Done():
		return cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
	}
}

// Goodbye seals the call's queue, waits until it has played all that it has, and for the last frame
// to be heard, and hangs up. It waits until the peer knows, or ctx ends: then it hangs up at once,
// and returns the cause of ctx. The queue of a call that ends meanwhile is the owner's to close.
func (c *Call) Goodbye(ctx context.Context, q *queue.Queue) error {
	q.Seal()
	select {
	case <-q.Done():
	case <-c.done:
		return nil
	case <-ctx.Done():
		return c.HangUp(ctx)
	}
	frame := time.NewTimer(media.FrameTime)
	defer frame.Stop()
	select {
	case <-frame.C:
	case <-ctx.Done():
	}
	return c.HangUp(ctx)
}

// leave ends the call from this end, and returns a channel that is closed when the peer knows, or
// can't be reached.
func (c *Call) leave(why End) <-chan struct{} {
	known := make(chan struct{})
	status := sipgo.StatusGlobalDecline
	if why == ShutDown {
		status = sipgo.StatusServiceUnavailable
	}
	if c.reject(status, why) == nil || c.giveUp(why) || !c.finishKept(why) {
		close(known)
		return known
	}
	c.agent.work.Go(func() {
		defer close(known)
		defer c.forget()
		c.bye()
	})
	return known
}

// bye sends a BYE when it may be sent: not before the ACK has come, or is given up (RFC 3261, 15).
func (c *Call) bye() {
	c.mu.Lock()
	a := c.awaited
	c.mu.Unlock()
	if a != nil {
		select {
		case <-a.over:
		case <-c.agent.closed:
			return
		}
	}
	c.mu.Lock()
	r := c.dialog.request(sipgo.BYE)
	c.mu.Unlock()
	tx, err := c.agent.send(context.Background(), r)
	if err == nil {
		err = c.agent.final(tx)
	}
	if err != nil {
		c.log.Info("peer has not answered the BYE")
	}
}

// finish ends the call and forgets it, unless it has ended. It does not wait for an ACK any more.
func (c *Call) finish(why End) {
	first := c.finishKept(why)
	c.mu.Lock()
	a := c.awaited
	c.mu.Unlock()
	if a != nil {
		a.acknowledge() // whoever has ended the call needs no answer any more
	}
	if first {
		c.forget()
	}
}

// finishKept ends the call. It is still known, for what the peer has to say to the end.
func (c *Call) finishKept(why End) bool { return c.finishBefore(ended, why) }

// finishBefore ends the call, and keeps it, if it has not come to a stage.
func (c *Call) finishBefore(limit stage, why End) bool {
	c.mu.Lock()
	if c.stage >= limit || !c.stage.take(end) {
		c.mu.Unlock()
		return false
	}
	c.end = why
	for _, t := range []*time.Timer{c.late, c.expiry, c.refresh} {
		if t != nil {
			t.Stop()
		}
	}
	c.mu.Unlock()
	c.line.mute()
	c.line.close()
	c.tones.End()
	close(c.done)
	c.log.Info("call ended", slog.String("why", why.String()))
	return true
}

func (c *Call) forget() { c.agent.remove(c) }

// isPeer reports whether a tag is that of the other end.
func (c *Call) isPeer(tag string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := tagOf(c.dialog.remote.Params)
	return known == tag || known == "" // our call, whose answer is on its way
}

// describe returns our session description made by f, which may not be called again before the
// next one. Its version counts up where something has changed (RFC 3264, 8).
func (c *Call) describe(f func(local) ([]byte, session, error)) ([]byte, session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, s, err := f(c.local)
	if err != nil {
		return nil, session{}, err
	}
	if c.offered != nil && string(text) != string(c.offered) {
		c.local.version++
		if text, s, err = f(c.local); err != nil {
			return nil, session{}, err
		}
	}
	c.offered = text
	return text, s, nil
}

// party returns an end of a call.
func party(name string, uri sipgo.Uri) Party {
	return Party{Name: name, User: uri.User, URI: uri.Addr()}
}
