package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"

	"ivrqueue/cluster"
	"ivrqueue/egress"
	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// A node of the test: a media platform as small as can be. A prompt lasts until it is stopped, one
// of the URI "for:300ms" no longer than that. One of the URI "talk:" sends a frame, a datagram with
// the call's id and the time, each 20 ms to the phones.

// botApplication is of all calls; its token is the same.
const botApplication = "bot"

type node struct {
	name    string
	cluster *cluster.Node
	handler *graph.Handler
	phones  *net.UDPConn

	mu      sync.Mutex // guards everything below
	calls   map[uuid.UUID]*graph.Call
	talking map[queue.Task]uuid.UUID
	ending  map[queue.Task]*time.Timer
}

// nodeOptions are the flags of a node besides those of the cluster.
type nodeOptions struct {
	addr, phones, bots string

	drain    time.Duration
	idle     int
	callback string
}

func runNode(args []string) int {
	var o cluster.Options
	var on nodeOptions
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	flags.StringVar(&o.Node, "name", "", "")
	flags.StringVar(&o.Dir, "dir", "", "")
	peers := flags.String("peers", "", "")
	servers := flags.String("servers", "", "NATS servers to be used, in the place of peers")
	flags.StringVar(&on.addr, "addr", "", "")
	flags.StringVar(&on.phones, "phones", "", "")
	flags.StringVar(&on.bots, "bots", "", "the network of the bots")
	flags.DurationVar(&on.drain, "drain", 0, "told to end, let calls go on for so long")
	flags.IntVar(&on.idle, "idle", 0, "have so many calls of its own")
	flags.StringVar(&on.callback, "callback", "", "of these")
	_ = flags.Parse(args)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With(slog.String("on", o.Node))
	o.Cluster, o.Logger = "failtest", log
	if *servers == "" {
		o.Secret, o.MaxStore = "of the test", 4<<30
		o.Peers = make(map[string]string)
	}
	for pair := range strings.SplitSeq(*peers, ",") {
		id, address, _ := strings.Cut(pair, "=")
		if *servers == "" {
			o.Peers[id] = address
		} else {
			o.Nodes, o.Servers, o.Dir = append(o.Nodes, id), strings.Split(*servers, ","), ""
		}
	}
	if err := serveNode(ctx, o, on); err != nil {
		log.Error("ended", slog.Any("error", err))
		return 1
	}
	return 0
}

func serveNode(ctx context.Context, o cluster.Options, on nodeOptions) error {
	n := &node{
		name: o.Node, calls: make(map[uuid.UUID]*graph.Call), talking: make(map[queue.Task]uuid.UUID),
		ending: make(map[queue.Task]*time.Timer),
	}
	to, err := net.ResolveUDPAddr("udp", on.phones)
	if err != nil {
		return err
	}
	if n.phones, err = net.DialUDP("udp", nil, to); err != nil {
		return err
	}
	if n.cluster, err = cluster.New(o); err != nil {
		return err
	}
	also, err := parsePrefix(on.bots)
	if err != nil {
		return err
	}
	notifier, err := webhook.New(webhook.WithLoopback(), webhook.WithPlainHTTP(),
		webhook.WithAddresses(egress.Addresses{Also: also, Loopback: true}), n.cluster.NotifierOption(),
		webhook.WithBackoff(50*time.Millisecond, 500*time.Millisecond))
	if err != nil {
		return err
	}
	n.handler, err = graph.New(graph.Platform{
		Authenticate: func(*http.Request) (graph.Application, error) {
			return graph.Application{ID: botApplication, Roles: []string{graph.RoleInitiate}}, nil
		},
		CreateCall: n.create,
		HangUp: func(_ context.Context, c *graph.Call) error {
			n.mu.Lock()
			delete(n.calls, c.ID())
			n.mu.Unlock()
			return c.Detach(graph.ResultInfo{})
		},
	}, append(n.cluster.GraphOptions(), graph.WithNotifier(notifier), graph.WithLogger(o.Logger),
		graph.WithMaxRequests(0), graph.WithMaxCalls(0))...)
	if err != nil {
		return err
	}
	front, err := n.cluster.Start(cluster.Platform{
		Graph: n.handler, HTTP: n.handler, Fenced: n.fenced,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", front)
	mux.HandleFunc("GET /cluster", n.cluster.ServeStats)
	mux.HandleFunc("GET /healthz", n.cluster.ServeHealth)
	server := &http.Server{Addr: on.addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	life, die := context.WithCancel(context.WithoutCancel(ctx)) // draining is a part of it
	defer die()
	go n.pace(life)
	go n.haveCalls(ctx, on.idle, on.callback)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = n.drain(on.drain, server)
	}
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, n.cluster.Close(last))
}

// drain lets calls go on for a while, ends what is left, and tells it. Requests are answered
// meanwhile.
func (n *node) drain(patience time.Duration, server *http.Server) error {
	n.cluster.Drain()
	over := time.NewTimer(patience)
	defer over.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for waiting := true; waiting; {
		n.mu.Lock()
		waiting = len(n.calls) > 0
		n.mu.Unlock()
		select {
		case <-look.C:
		case <-over.C:
			waiting = false
		}
	}
	end := operation.ShutDown
	n.detach(graph.ResultInfo{Code: end.Code(), Subcode: end.Subcode(), Message: end.Message()},
		func(uuid.UUID) bool { return true })
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(n.handler.Shutdown(last), server.Shutdown(last))
}

// haveCalls makes calls that nobody has asked for, as fast as the journal takes them.
func (n *node) haveCalls(ctx context.Context, many int, callback string) {
	if many == 0 || n.cluster.WaitReady(ctx) != nil || n.cluster.WaitJournal(ctx) != nil {
		return
	}
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for made := 0; made < many; {
		for end := min(made+100, many); made < end; made++ {
			if _, err := n.newCall(n.handler.Attach, graph.Attachment{
				Application: botApplication, CallbackURI: callback,
			}); err != nil {
				slog.Error("no call", slog.Any("error", err))
				return
			}
		}
		for s := n.cluster.Stats(); s.Journal.Waiting > 500 || n.handler.Stats().Pending > 500; {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			s = n.cluster.Stats()
		}
	}
}

func (n *node) create(_ context.Context, c graph.NewCall) (*graph.Call, error) {
	return n.newCall(c.Attach, graph.Attachment{
		Application: c.Application.ID, CallbackURI: c.CallbackURI, Resource: c.Resource,
	})
}

func (n *node) newCall(
	attach func(graph.Attachment) (*graph.Call, error), a graph.Attachment,
) (*graph.Call, error) {
	id, err := n.cluster.NewCallID()
	if err != nil {
		return nil, graph.ErrUnavailable
	}
	q, err := queue.New(id.String(), &media{n, id}, queue.WithObserver(n.handler))
	if err != nil {
		return nil, err
	}
	a.ID, a.Queue, a.Tones = id, q, new(tone.Stream)
	a.State = graph.State{Call: graph.Established}
	call, err := attach(a)
	if err != nil {
		q.Close(nil)
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls[id] = call
	return call, nil
}

// fenced ends the calls that are this node's no more.
func (n *node) fenced() {
	n.detach(graph.ResultInfo{}, func(id uuid.UUID) bool { return !n.cluster.Holds(id) })
}

// detach ends some of the calls.
func (n *node) detach(r graph.ResultInfo, which func(uuid.UUID) bool) {
	n.mu.Lock()
	var calls []*graph.Call
	for id, c := range n.calls {
		if which(id) {
			calls = append(calls, c)
			delete(n.calls, id)
		}
	}
	n.mu.Unlock()
	for _, c := range calls {
		_ = c.Detach(r) // nobody else does
	}
}

// media is of one call.
type media struct {
	node *node
	call uuid.UUID
}

func (m *media) Start(t queue.Task) error {
	p, ok := t.Request().(*operation.PlayPrompt)
	if !ok {
		return nil
	}
	uri := p.Prompts[0].URI
	m.node.mu.Lock()
	defer m.node.mu.Unlock()
	if uri == "talk:" {
		m.node.talking[t] = m.call
	}
	if text, ok := strings.CutPrefix(uri, "for:"); ok {
		d, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		m.node.ending[t] = time.AfterFunc(d, func() { m.Stop(t) })
	}
	return nil
}

func (m *media) Stop(t queue.Task) {
	m.node.mu.Lock()
	delete(m.node.talking, t)
	if timer := m.node.ending[t]; timer != nil {
		timer.Stop()
		delete(m.node.ending, t)
	}
	m.node.mu.Unlock()
	t.End(operation.Result{Reason: operation.Succeeded})
}

// pace sends the frames of all calls that are heard.
func (n *node) pace(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n.mu.Lock()
		talking := make(map[queue.Task]uuid.UUID, len(n.talking))
		maps.Copy(talking, n.talking)
		n.mu.Unlock()
		for t, id := range talking {
			// Before it asks: a process that is stopped in between sends a frame when it goes on.
			now := uint64(time.Now().UnixNano()) //nolint:gosec // since 1970
			if !t.Live() || !n.cluster.Holds(id) {
				continue
			}
			frame := append(append(make([]byte, 0, 64), id[:]...), n.name...)
			_, _ = n.phones.Write(binary.BigEndian.AppendUint64(frame, now))
		}
	}
}

var errPrefix = errors.New("the network of the bots must be as in 10.0.0.0/24")
