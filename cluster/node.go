package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/internal/natsserver"
	"ivrqueue/cluster/journal"
	"ivrqueue/cluster/member"
	"ivrqueue/cluster/route"
	"ivrqueue/graph"
	"ivrqueue/webhook"
)

// Errors of a node.
var (
	// ErrNoLease is returned by [Node.NewCallID] while the node may not take calls: it has just
	// started, it can't reach a majority, it drains, or it is closed.
	ErrNoLease = errors.New("cluster: no lease")

	// ErrFenced is why notifications are given up: their call is not this node's any more. Another
	// node notifies of its end.
	ErrFenced = errors.New("cluster: fenced")
)

// Platform is what a node needs of the platform that it is a part of.
type Platform struct {
	Graph *graph.Handler // made with GraphOptions
	HTTP  http.Handler   // serves everything; the Graph handler is in it

	// Fenced is called when the calls of this node so far are its calls no more: those of which
	// Holds is false now. It ends them: hangs up, closes their queues, detaches them. No
	// notification is sent: other nodes deliver their ends. It is called on a goroutine of its own,
	// and may block.
	Fenced func()
}

// Node is a process as a part of the cluster. It is made by [New] and ended by [Node.Close].
type Node struct {
	options Options
	self    callid.Node
	names   map[callid.Node]string
	server  *ownServer // nil: others' servers
	conn    *nats.Conn
	ledger  *graph.Ledger
	journal *journal.Journal
	member  atomic.Pointer[member.Member]

	draining, closed atomic.Bool
	ready            chan struct{}      // closed with the first lease
	wake             chan struct{}      // for the heir; has a value when it should look
	stop, unkeep     context.CancelFunc // what the node does by itself; what its server keeps
	life             context.Context    //nolint:containedctx // of what the node does by itself
	work             sync.WaitGroup
	heir             heir

	mu       sync.Mutex // guards everything below
	platform *Platform
	router   *route.Router
	lease    *member.Lease
	lives    map[callid.Owner]*life // of others, as they are needed
}

// String names the node and its cluster, for logs: what is given to package fmt would be read
// without the lock otherwise, with the cluster's secret.
func (n *Node) String() string { return n.options.String() }

// life is of another owner, until it is dead.
type life struct {
	ctx context.Context //nolint:containedctx // it is what the owner's life is
	end context.CancelFunc
}

// New joins the cluster. It returns when the node's own server is ready, or the connection to
// others' is there; it does not wait for the other nodes. Its errors name what is wrong.
func New(o Options) (*Node, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	n := &Node{
		options: o, self: callid.Of(o.Node), names: make(map[callid.Node]string),
		ready: make(chan struct{}), wake: make(chan struct{}, 1),
		lives: make(map[callid.Owner]*life),
	}
	for _, name := range o.Nodes {
		n.names[callid.Of(name)] = name
	}
	n.life, n.stop = context.WithCancel(context.Background())
	keep, unkeep := context.WithCancel(n.life)
	n.unkeep = unkeep
	n.heir.init(n)
	if err := n.join(); err != nil {
		return nil, errors.Join(err, n.leave(context.Background()))
	}
	if n.server != nil {
		n.work.Go(func() { n.server.keep(keep) })
	}
	return n, nil
}

// join starts everything.
func (n *Node) join() (err error) {
	o := &n.options
	if n.ledger, err = graph.NewLedger(0); err != nil {
		return err
	}
	n.ledger.ConfirmBy(n.gotThrough)
	if len(o.Peers) > 0 {
		if n.server, err = startServer(o); err != nil {
			return err
		}
	}
	if n.conn, err = connect(o, n.server); err != nil {
		return err
	}
	jo := journal.Options{
		Bucket: "ivrqueue_" + o.Cluster, Node: o.Node, Replicas: o.Replicas, Ledger: n.ledger,
		Holds: n.owns, Logger: o.Logger, Durable: o.SyncAlways,
	}
	if len(o.Nodes) > 1 {
		jo.Others, jo.Majority = n.others, len(o.Nodes)/2
	}
	n.journal, err = journal.Open(n.conn, jo)
	if err != nil {
		return err
	}
	opts := []member.Option{
		member.WithObserver(n.observe), member.WithLogger(o.Logger), member.WithSubject(n.subject()),
	}
	if o.Timing != (member.Timing{}) {
		opts = append(opts, member.WithTiming(o.Timing))
	}
	m, err := member.New(n.conn, o.Node, o.Nodes, opts...)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	n.member.Store(m)
	n.work.Go(n.heir.run)
	return nil
}

func (n *Node) subject() string { return "ivrqueue_" + n.options.Cluster }

// GraphOptions are for graph.New: the ids of calls, and the ledger of what they owe.
func (n *Node) GraphOptions() []graph.Option {
	return []graph.Option{
		graph.WithLedger(n.ledger),
		graph.WithCallIDs(func() uuid.UUID {
			o, ok := n.owner()
			if !ok { // nothing is sent for such a call
				return uuid.New()
			}
			return callid.New(o) // of one that drains, too: it was asked for before
		}),
	}
}

// NotifierOption is for webhook.New: nothing is sent for a call that is not this node's. A
// platform with a Deliver of its own asks MayDeliver before each attempt.
func (n *Node) NotifierOption() webhook.Option {
	return webhook.WithPermit(n.MayDeliver)
}

// NewCallID returns the id of a new call of this node, or [ErrNoLease].
func (n *Node) NewCallID() (uuid.UUID, error) {
	o, ok := n.owner()
	if !ok || n.draining.Load() {
		return uuid.Nil, ErrNoLease
	}
	return callid.New(o), nil
}

// Holds reports whether this node may act for a call at this instant. Ask before each frame that
// leaves. It costs what [member.Lease.Holds] costs.
func (n *Node) Holds(call uuid.UUID) bool {
	o, ok := callid.OwnerOf(call)
	return ok && n.owns(o)
}

func (n *Node) owns(o callid.Owner) bool {
	self, ok := n.owner()
	return ok && self == o
}

// owner is who this node is: false while its lease does not hold.
func (n *Node) owner() (callid.Owner, bool) {
	m := n.member.Load()
	if m == nil {
		return callid.Owner{}, false
	}
	l := m.Lease()
	if l == nil || !l.Holds() {
		return callid.Owner{}, false
	}
	return callid.Owner{Node: n.self, Epoch: uint32(l.Epoch())}, true
}

// MayDeliver returns [ErrFenced] if a delivery is not this node's to make, at this instant.
func (n *Node) MayDeliver(d *webhook.Delivery) error {
	if _, inherited := d.Value.(inherited); inherited {
		if _, ok := n.owner(); ok {
			return nil
		}
		return ErrFenced
	}
	if !n.Holds(d.CallID) {
		return ErrFenced
	}
	return nil
}

// gotThrough reports whether a majority has what the journal has shown it, or, without other nodes,
// has written: sent is not zero then. A node that is cut off delivers nothing that its heirs don't
// know of, therefore. It is true, too, when nothing may be sent any more.
func (n *Node) gotThrough(sent time.Time) bool {
	_, holds := n.owner()
	return !holds || !sent.IsZero()
}

// others returns the names of the other nodes that live.
func (n *Node) others() []string {
	m := n.member.Load()
	if m == nil {
		return nil
	}
	return slices.DeleteFunc(m.View().Live(), func(name string) bool { return name == n.options.Node })
}

// Start begins to take requests and calls, and returns the handler that the HTTP server is to
// serve. It is called once.
func (n *Node) Start(p Platform) (http.Handler, error) {
	if p.Graph == nil || p.HTTP == nil || p.Fenced == nil {
		return nil, errors.New("cluster: Start: Graph, HTTP and Fenced must not be nil")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.platform != nil || n.closed.Load() {
		return nil, errors.New("cluster: Start: called before, or after Close")
	}
	router, err := route.New(n.conn, p.HTTP, route.Options{
		Subject: n.subject(), Owner: n.owner, Find: n.find, Life: n.lifeOf,
		Draining: n.draining.Load, Logger: n.options.Logger,
	})
	if err != nil {
		return nil, err
	}
	n.platform, n.router = &p, router
	if n.lease != nil {
		if err := router.Serve(ownerOf(n.self, n.lease)); err != nil {
			return nil, err
		}
	}
	n.look()
	return router, nil
}

func ownerOf(self callid.Node, l *member.Lease) callid.Owner {
	return callid.Owner{Node: self, Epoch: uint32(l.Epoch())}
}

// observe gets the events of the member, on a goroutine of its own.
func (n *Node) observe(e member.Event) {
	switch e.Kind {
	case member.Began:
		n.began(e.Lease)
	case member.Fenced:
		n.fenced(e.Lease)
	case member.Changed:
		n.buryDead(e.View)
		n.look()
	case member.Failed:
		n.options.Logger.Error("cluster: this node is out", slog.Any("error", e.Err))
	}
}

func (n *Node) began(l *member.Lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lease = l
	if n.router != nil {
		if err := n.router.Serve(ownerOf(n.self, l)); err != nil {
			n.options.Logger.Error("cluster: nobody can forward to this node", slog.Any("error", err))
		}
	}
	select {
	case <-n.ready:
	default:
		close(n.ready)
	}
	n.look()
}

func (n *Node) fenced(l *member.Lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lease = nil
	if n.router != nil {
		n.router.Cease(ownerOf(n.self, l))
	}
	if n.platform == nil || n.closed.Load() {
		return
	}
	n.heir.stats.fenced.Add(1)
	// What it owed is in the bucket, and not in this node's mirror, for it was its own.
	n.heir.bury(journal.Epoch{Node: n.options.Node, Epoch: uint32(l.Epoch())}, true)
	fenced := n.platform.Fenced
	n.work.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				n.options.Logger.Error("cluster: Fenced panicked", slog.Any("panic", v))
			}
		}()
		fenced()
	})
}

// find tells what becomes of a call of another owner.
func (n *Node) find(o callid.Owner, id uuid.UUID) route.Whereabouts {
	name, ok := n.names[o.Node]
	if !ok {
		return route.Gone
	}
	if !n.member.Load().View().Ended(name, member.Epoch(o.Epoch)) {
		return route.Lives
	}
	if n.journal.Has(o, id) || n.heir.isTelling(id) {
		return route.Ending
	}
	return route.Gone
}

// lifeOf returns a context that ends when an owner is dead. Of one that nobody has heard of it is
// this node's own, and nothing is kept: anybody can make an id up.
func (n *Node) lifeOf(o callid.Owner) context.Context {
	live, ok := n.member.Load().View().Epoch(n.names[o.Node])
	if !ok || uint32(live) != o.Epoch {
		return n.life
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.lives[o]
	if l == nil {
		l = new(life)
		l.ctx, l.end = context.WithCancel(n.life)
		n.lives[o] = l
	}
	return l.ctx
}

// buryDead ends the lives of owners that are dead.
func (n *Node) buryDead(v *member.View) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for o, l := range n.lives {
		if v.Ended(n.names[o.Node], member.Epoch(o.Epoch)) {
			l.end()
			delete(n.lives, o)
		}
	}
}

// look has the heir look for calls to tell of.
func (n *Node) look() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// WaitReady waits until the node may take calls, or ctx ends.
func (n *Node) WaitReady(ctx context.Context) error {
	select {
	case <-n.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cluster: not ready: %w", context.Cause(ctx))
	}
}

// WaitJournal waits until the journal is there, and was read, or ctx ends. Calls need not wait for
// it.
func (n *Node) WaitJournal(ctx context.Context) error {
	select {
	case <-n.journal.Opened():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cluster: no journal: %w", context.Cause(ctx))
	}
}

// Drain takes no new calls from now on: requests for them are answered with 503, NewCallID is
// ErrNoLease, and Health says so, so that a load balancer goes elsewhere. The calls that there are
// go on.
func (n *Node) Drain() { n.draining.Store(true) }

// Close leaves the cluster: it writes what is left to be written, hands the leadership of the
// journal on, says farewell, and ends. The others deliver the ends of calls that are left, as for a
// dead node; so drain and end them before. It waits for all that, or for ctx, whose error it
// returns; the node has ended then, too. Its server is stopped in any case, which takes three
// seconds more at the most.
func (n *Node) Close(ctx context.Context) error {
	if n.closed.Swap(true) {
		return errors.New("cluster: closed before")
	}
	n.draining.Store(true)
	return n.leave(ctx)
}

// leave ends everything that there is.
func (n *Node) leave(ctx context.Context) error {
	var err error
	if n.journal != nil {
		if err = n.journal.Drain(ctx); err != nil {
			err = fmt.Errorf("cluster: the journal was not written to its end: %w", err)
		}
	}
	n.mu.Lock()
	router := n.router
	n.mu.Unlock()
	if router != nil {
		err = errors.Join(err, router.Close(ctx))
	}
	if m := n.member.Load(); m != nil {
		err = errors.Join(err, m.Close(ctx))
		select {
		case <-m.Done():
		case <-ctx.Done():
		}
	}
	n.stop()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		n.work.Wait()
	}()
	select {
	case <-worked:
	case <-ctx.Done(): // the platform's Fenced, or its Deliver, has not returned
	}
	if n.journal != nil {
		n.journal.Close()
	}
	if n.conn != nil {
		if n.server != nil {
			_ = n.conn.FlushTimeout(time.Second) // so that it knows all that was asked of it
		}
		n.conn.Close()
	}
	if n.server != nil {
		natsserver.Settle(n.server.Server)
		// It hands the leadership of the journal on: otherwise nothing could be written until an
		// election is over, which takes 4 to 9 s.
		n.server.LameDuckShutdown()
		natsserver.Stop(n.server.Server)
	}
	return err
}
