package sip

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
)

// Agent is a SIP user agent over UDP: calls come in, and can be made. [Listen] makes it, Shutdown
// ends it. It is safe for concurrent use.
type Agent struct {
	options      Options
	conn         net.PacketConn
	address      netip.AddrPort // of conn
	gate         *gate
	ports        *opener
	unheard      *unheard
	transport    *sipgo.TransportLayer
	transactions *sipgo.TransactionLayer
	log          *slog.Logger
	closed       chan struct{} // closed with conn

	mu       sync.Mutex // guards the block below
	calls    map[string]*Call
	callers  map[string]*Call // those that came in, by the caller's side
	places   shares           // of calls that came in; its trunks never change
	closing  bool
	finished chan struct{} // closed when closing, and there is no call

	sending sync.RWMutex   // held by whoever sends a request: the socket stays open
	work    sync.WaitGroup // goroutines
}

// String names the address, for logs: what is given to package fmt would be read without the lock
// otherwise.
func (a *Agent) String() string { return fmt.Sprintf("SIP agent at %v", a.address) }

// Listen opens the agent's port and takes calls from then on.
func Listen(o Options) (*Agent, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	conn, err := o.network.listenSIP(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	address, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sip: %w", err), conn.Close())
	}
	a := &Agent{
		options: o, conn: conn, address: address, log: o.Logger, closed: make(chan struct{}),
		ports:   &opener{ports: o.Ports, host: o.Listen.Addr(), listen: o.network.listenRTP},
		unheard: newUnheard(),
		calls:   make(map[string]*Call), callers: make(map[string]*Call),
		places: newShares(o.Trunks), finished: make(chan struct{}),
	}
	a.gate = &gate{
		conn: conn, invites: newSharedBucket(o.MaxInvites, o.Trunks),
		calls:    newSharedBucket(o.MaxRequests, o.Trunks),
		requests: newSharedBucket(o.MaxRequests, o.Trunks),
		refusals: newSharedBucket(o.MaxRequests, o.Trunks),
		refuses:  a.full,
		known:    a.bucketOf,
		parser:   sipgo.NewParser(),
	}
	// What the stack would log is what peers send, however long.
	quiet := slog.New(slog.DiscardHandler)
	a.transport = sipgo.NewTransportLayer(
		net.DefaultResolver, sipgo.NewParser(), nil, sipgo.WithTransportLayerLogger(quiet))
	// It may be written in small letters. The stack reads it too, by itself, from when it has the
	// request.
	a.transport.OnMessage(func(m sipgo.Message) {
		if r, ok := m.(*sipgo.Request); ok {
			r.SipVersion = version
		}
	})
	a.transactions = sipgo.NewTransactionLayer(a.transport,
		sipgo.WithTransactionLayerLogger(quiet),
		sipgo.WithTransactionLayerUnhandledResponseHandler(func(*sipgo.Response) {}))
	a.transactions.OnRequest(a.handle)
	<-a.openDoor()
	return a, nil
}

// The stack would send nothing of more than 1300 bytes, which a 200 is that has come through some
// proxies: a response has no other way (RFC 3261, 18.2.2), and a request has none here.
var _ = func() struct{} {
	sipgo.UDPMTUSize = 1 << 16
	return struct{}{}
}()

// openDoor has the stack read from the socket, until it has seen as many sources as it may.
func (a *Agent) openDoor() <-chan struct{} {
	d := &door{
		PacketConn: a.conn, gate: a.gate, next: a.openDoor, closed: a.closed,
		opened: make(chan struct{}), sources: make(map[string]struct{}),
		forget: func(source string) {
			a.transport.Pool("udp").Add(source, gone{a.conn.LocalAddr()})
		},
	}
	a.work.Go(func() { _ = a.transport.ServeUDP(d) }) // it ends with the socket
	return d.opened
}

// Addr returns the address at which the agent listens.
func (a *Agent) Addr() netip.AddrPort { return a.address }

// Calls returns how many calls there are, ringing ones included.
func (a *Agent) Calls() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}

// Shutdown takes no more calls, hangs up those that there are, and waits until peers know that
// or ctx ends; then the agent is closed, whatever peers say. It returns the cause of ctx if not all
// could be reached. It may be called again.
func (a *Agent) Shutdown(ctx context.Context) error {
	a.mu.Lock()
	first := !a.closing
	a.closing = true
	calls := make([]*Call, 0, len(a.calls))
	for _, c := range a.calls {
		calls = append(calls, c)
	}
	if first && len(calls) == 0 {
		close(a.finished)
	}
	a.mu.Unlock()
	for _, c := range calls {
		c.leave(ShutDown) //nolint:contextcheck // peers get the BYE even if ctx ends
	}
	var err error
	select {
	case <-a.finished:
	case <-ctx.Done():
		err = fmt.Errorf("sip: shutdown: %w", context.Cause(ctx))
	}
	if first {
		a.sending.Lock()
		close(a.closed)
		a.transactions.Close()
		err = errors.Join(err, a.conn.Close())
		a.sending.Unlock()
	}
	over := make(chan struct{})
	go func() {
		a.work.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done(): // Incoming has not returned
		err = errors.Join(err, fmt.Errorf("sip: shutdown: %w", context.Cause(ctx)))
	}
	return err
}

// full reports whether there may be no more calls from there now.
func (a *Agent) full(source netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.hasPlace(source)
}

// hasPlace is called with mu held. Our own calls have no source, and all that is free.
func (a *Agent) hasPlace(source netip.Addr) bool {
	free := a.options.MaxCalls - len(a.calls)
	return !a.closing && free > 0 && (!source.IsValid() || a.places.open(source, free))
}

// errMerged is why a call is refused that is here already, by another way (RFC 3261, 8.2.2.2).
var errMerged = errors.New("sip: call that has come by two ways")

// add makes c known, unless it is, or there may be no more calls.
func (a *Agent) add(c *Call) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case c.source.IsValid() && a.callers[c.callerKey] != nil:
		return errMerged
	case !a.hasPlace(c.source):
		return ErrUnavailable
	}
	a.calls[c.key] = c
	if c.source.IsValid() {
		a.places.add(c.source, 1)
		a.callers[c.callerKey] = c
	}
	return nil
}

// remove forgets c.
func (a *Agent) remove(c *Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[c.key] != c {
		return
	}
	delete(a.calls, c.key)
	if c.source.IsValid() {
		a.places.add(c.source, -1)
		delete(a.callers, c.callerKey)
	}
	if a.closing && len(a.calls) == 0 {
		close(a.finished)
	}
}

// call returns the call that a request in a dialog is of, or nil.
func (a *Agent) call(r *sipgo.Request) *Call {
	a.mu.Lock()
	c := a.calls[key(r.CallID().Value(), tagOf(r.To().Params))]
	a.mu.Unlock()
	if c == nil || !c.isPeer(tagOf(r.From().Params)) {
		return nil
	}
	return c
}

// bucketOf returns the bucket of the call that a message is of, by the tags of both ends or, as
// that of an INVITE that is repeated, the caller's; nil if there is none.
func (a *Agent) bucketOf(m sipgo.Message) *bucket {
	id, from, to := m.CallID().Value(), tagOf(m.From().Params), tagOf(m.To().Params)
	a.mu.Lock()
	defer a.mu.Unlock()
	var c *Call
	if _, ok := m.(*sipgo.Response); ok {
		c = a.calls[key(id, from)]
	} else if c = a.calls[key(id, to)]; c == nil {
		c = a.callers[key(id, from)]
	}
	if c == nil {
		return nil
	}
	return &c.messages
}

// handle takes each request that is not a repetition. The stack gives each a goroutine.
func (a *Agent) handle(r *sipgo.Request, tx *sipgo.ServerTx) {
	defer tx.TerminateGracefully()
	c := a.call(r)
	if c != nil && !r.IsAck() && !r.IsCancel() && r.Method != sipgo.INFO {
		c.inTurn(r, 0)
	}
	switch {
	case r.IsAck():
		if c != nil {
			c.acknowledged(r)
		}
	case a.refused(r, tx):
	case r.IsInvite() && tagOf(r.To().Params) == "":
		a.invited(r, tx)
	case r.Method == sipgo.OPTIONS:
		a.capabilities(r, tx)
	case c == nil || r.IsCancel(): // a CANCEL gets here if there is nothing to cancel
		a.respond(tx, r, sipgo.StatusCallTransactionDoesNotExists)
	case r.IsInvite():
		c.reinvited(r, tx)
	case r.Method == sipgo.BYE:
		c.finish(PeerHungUp)
		a.respond(tx, r, sipgo.StatusOK)
	default:
		c.informed(r, tx)
	}
}

// refused answers a request that asks for what there is not (RFC 3261, 8.2), and reports whether it
// was one.
func (a *Agent) refused(r *sipgo.Request, tx *sipgo.ServerTx) bool {
	if !slices.Contains(strings.Split(allowed, ", "), string(r.Method)) {
		a.respond(tx, r, sipgo.StatusMethodNotAllowed, sipgo.NewHeader("Allow", allowed))
		return true
	}
	if unknown := requires(r); unknown != "" && !r.IsCancel() {
		a.respond(tx, r, sipgo.StatusBadExtension, sipgo.NewHeader("Unsupported", unknown))
		return true
	}
	status, missing := wrongInBody(r)
	if status != 0 {
		a.respond(tx, r, status, missing...)
	}
	return status != 0
}

func (a *Agent) capabilities(r *sipgo.Request, tx sipgo.ServerTransaction) {
	if a.full(hostOf(r.Source())) {
		a.respond(tx, r, sipgo.StatusServiceUnavailable)
		return
	}
	a.respond(tx, r, sipgo.StatusOK, sipgo.NewHeader("Allow", allowed),
		sipgo.NewHeader("Accept", contentSDP), sipgo.NewHeader("Supported", supported))
}

// respond answers a request. A response that can't be sent is lost; the peer repeats its request.
func (a *Agent) respond(
	tx sipgo.ServerTransaction, r *sipgo.Request, status int, headers ...sipgo.Header,
) {
	response := sipgo.NewResponseFromRequest(r, status, reasonOf(status), nil)
	for _, h := range headers {
		response.AppendHeader(h)
	}
	_ = tx.Respond(response)
}

// hostOf returns the host of where a message came from.
func hostOf(source string) netip.Addr {
	at, _ := netip.ParseAddrPort(source) // none is the zero address
	return at.Addr().Unmap()
}

// hostFor returns the address that a peer gets.
func (a *Agent) hostFor(ctx context.Context, peer string) (netip.Addr, error) {
	switch listen := a.address.Addr(); {
	case a.options.Host.IsValid():
		return a.options.Host, nil
	case !listen.IsUnspecified():
		return listen, nil
	}
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		return netip.Addr{}, err
	}
	address, err := a.lookUp(ctx, host)
	if err != nil {
		return netip.Addr{}, err
	}
	const discard = 9 // nothing is sent
	return hostTowards(netip.AddrPortFrom(address, discard))
}

// contact returns the agent's own URI, with this host.
func (a *Agent) contact(host netip.Addr) sipgo.ContactHeader {
	return sipgo.ContactHeader{Address: sipgo.Uri{
		Scheme: "sip", User: a.options.User, Host: host.String(), Port: int(a.address.Port()),
	}}
}

// lookUpTime is how long a look-up of a name may take: peers name hosts whose name servers are
// theirs.
const lookUpTime = 5 * time.Second

// lookUp returns the address of a host.
func (a *Agent) lookUp(ctx context.Context, host string) (netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	addresses, err := a.options.network.lookUp(ctx, host)
	if err != nil {
		return netip.Addr{}, err
	}
	return addresses[0].Unmap(), nil
}

// aim finds the address that a request goes to. The stack would too, in its own time, and while
// sending is held.
func (a *Agent) aim(ctx context.Context, r *sipgo.Request) error {
	host, port, err := net.SplitHostPort(r.Destination())
	if err != nil {
		return err
	}
	address, err := a.lookUp(ctx, host)
	if err != nil {
		return err
	}
	r.SetDestination(net.JoinHostPort(address.String(), port))
	return nil
}

// send makes a transaction of a request of ours.
func (a *Agent) send(ctx context.Context, r *sipgo.Request) (*sipgo.ClientTx, error) {
	if err := a.aim(ctx, r); err != nil {
		return nil, err
	}
	a.sending.RLock()
	defer a.sending.RUnlock()
	if a.isClosed() {
		return nil, ErrUnavailable
	}
	a.route(r)
	return a.transactions.Request(ctx, r)
}

// write sends a request that has no answer.
func (a *Agent) write(r *sipgo.Request) error {
	if err := a.aim(context.Background(), r); err != nil {
		return err
	}
	a.sending.RLock()
	defer a.sending.RUnlock()
	if a.isClosed() {
		return ErrUnavailable
	}
	a.route(r)
	return a.transport.WriteMsg(r)
}

func (a *Agent) isClosed() bool {
	select {
	case <-a.closed:
		return true
	default:
		return false
	}
}

// route gives a request what gets it there, and its answer back.
func (a *Agent) route(r *sipgo.Request) {
	r.Laddr = sipgo.Addr{IP: a.address.Addr().AsSlice(), Port: int(a.address.Port())}
	if r.Via() == nil {
		via := &sipgo.ViaHeader{
			ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP",
			Host: r.Contact().Address.Host, Port: int(a.address.Port()),
		}
		via.Params.Add("branch", sipgo.GenerateBranchN(16))
		via.Params.Add("rport", "")
		r.PrependHeader(via)
	}
	if r.Body() == nil {
		r.SetBody(nil) // for its Content-Length
	}
}

// final waits for a final response, whatever it is. A peer that has none within 32 s is gone.
func (a *Agent) final(tx *sipgo.ClientTx) error {
	defer tx.Terminate()
	timer := time.NewTimer(giveUp)
	defer timer.Stop()
	for {
		select {
		case r := <-tx.Responses():
			if !r.IsProvisional() {
				return nil
			}
		case <-tx.Done():
			return tx.Err()
		case <-timer.C:
			return sipgo.ErrTransactionTimeout
		}
	}
}

// random returns random numbers: for SSRCs, sequence numbers and timestamps, which nobody may guess
// (RFC 3550, 5.1).
func random() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.BigEndian.Uint32(b[:])
}
