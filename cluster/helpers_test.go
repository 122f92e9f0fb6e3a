package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ivrqueue/cluster"
	"ivrqueue/cluster/member"
	"ivrqueue/graph"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

var quiet = slog.New(slog.DiscardHandler)

const token = "bot"

// soon ends what would hang.
const soon = 2 * time.Minute

// patient has leases that a machine which is held up for seconds does not end.
var patient = member.Timing{Beat: member.DefaultBeat, Lease: 5 * time.Second, Death: 7500 * time.Millisecond}

// platform is a media platform as small as can be, as a part of a cluster.
type platform struct {
	node    *cluster.Node
	handler *graph.Handler
	server  *httptest.Server
	front   http.Handler

	mu    sync.Mutex
	calls map[uuid.UUID]*graph.Call
	media map[uuid.UUID]*queuetest.Media
}

// bot takes notifications of all nodes.
type bot struct {
	server *httptest.Server

	mu      sync.Mutex
	got     []notice
	changed chan struct{}
	refuses bool // everything, with 500
	forget  bool // it takes everything, and keeps nothing
}

// notice is one notification as it came.
type notice struct {
	At       time.Time
	Delivery string // its id
	Call     string
	Line     string // what it tells
	Text     string
}

func newBot(tb testing.TB) *bot {
	tb.Helper()
	b := &bot{changed: make(chan struct{})}
	b.server = httptest.NewServer(b)
	tb.Cleanup(b.server.Close)
	return b
}

func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var all struct{ Value []json.RawMessage }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if b.forget {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuses {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	for _, text := range all.Value {
		n := notice{At: time.Now(), Delivery: r.Header.Get(webhook.HeaderID), Text: string(text)}
		n.Call, n.Line = lineOf(text)
		b.got = append(b.got, n)
	}
	close(b.changed)
	b.changed = make(chan struct{})
	w.WriteHeader(http.StatusAccepted)
}

func lineOf(text []byte) (call, line string) {
	var n struct {
		Resource     string
		ResourceData struct {
			State, Status, ClientContext string
			ResultInfo                   struct{ Code, Subcode int }
		}
	}
	_ = json.Unmarshal(text, &n)
	parts := strings.Split(n.Resource, "/")
	if len(parts) > 3 {
		call = parts[3]
	}
	d := n.ResourceData
	line = d.State + d.Status
	if d.ClientContext != "" {
		line += " " + d.ClientContext
	}
	if d.ResultInfo.Code != 0 {
		line += fmt.Sprintf(" %d/%d", d.ResultInfo.Code, d.ResultInfo.Subcode)
	}
	return call, line
}

// refuse has it refuse everything from now on, or nothing.
func (b *bot) refuse(everything bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuses = everything
}

// of returns what was told of a call.
func (b *bot) of(call string) (lines []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.got {
		if n.Call == call {
			lines = append(lines, n.Line)
		}
	}
	return lines
}

// waitLine waits until this was told of a call.
func (b *bot) waitLine(tb testing.TB, call, line string) {
	tb.Helper()
	over := time.NewTimer(soon)
	defer over.Stop()
	told := func(n notice) bool { return n.Call == call && n.Line == line }
	for {
		b.mu.Lock()
		is, changed := slices.ContainsFunc(b.got, told), b.changed
		b.mu.Unlock()
		if is {
			return
		}
		select {
		case <-changed:
		case <-over.C:
			tb.Fatalf("not told within %v: %s", soon, line)
		}
	}
}

// until waits until something is so.
func until(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	over := time.NewTimer(soon)
	defer over.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-over.C:
			tb.Fatalf("not so after %v: %s", soon, what)
		}
	}
}

var hosts atomic.Uint32

// freeAddresses returns addresses of this machine that nobody listens on, and nobody will before the
// test does: their host is its own. On 127.0.0.1 a port that is free is soon somebody else's.
func freeAddresses(tb testing.TB, n int) (addresses []string) {
	tb.Helper()
	host := "127.0.0.1"
	if runtime.GOOS == "linux" { // there all of 127.0.0.0/8 is this machine
		host = fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()>>8&63, os.Getpid()&255, 1+hosts.Add(1)%254)
	}
	for range n {
		l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", host+":0")
		if err != nil {
			tb.Fatal(err)
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

var names = []string{"a", "b", "c", "d", "e"}

// peersOf returns the peers of a cluster of n nodes.
func peersOf(tb testing.TB, n int) map[string]string {
	tb.Helper()
	peers := make(map[string]string)
	for i, address := range freeAddresses(tb, n) {
		peers[names[i]] = address
	}
	return peers
}

// startNode starts a node of a cluster.
func startNode(tb testing.TB, o cluster.Options) *platform {
	tb.Helper()
	o.Logger = slog.New(struct{ slog.Handler }{}) // it panics, which ends nothing
	if o.Timing == (member.Timing{}) {
		o.Timing = patient
	}
	if o.Cluster == "" {
		o.Cluster = "test"
	}
	if o.Dir == "" && len(o.Peers) > 0 {
		o.Dir = tb.TempDir()
	}
	n, err := cluster.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	p := &platform{node: n, calls: map[uuid.UUID]*graph.Call{}, media: map[uuid.UUID]*queuetest.Media{}}
	notifier, err := webhook.New(webhook.WithLoopback(), n.NotifierOption(),
		webhook.WithBackoff(20*time.Millisecond, 200*time.Millisecond))
	if err != nil {
		tb.Fatal(err)
	}
	p.handler, err = graph.New(graph.Platform{
		Authenticate: func(r *http.Request) (graph.Application, error) {
			if t, _ := graph.BearerToken(r); t != token {
				return graph.Application{}, errors.New("no such token")
			}
			return graph.Application{ID: "app", Roles: []string{graph.RoleInitiate}}, nil
		},
		CreateCall: p.create, HangUp: func(_ context.Context, c *graph.Call) error { return c.Detach(graph.ResultInfo{}) },
	}, append(n.GraphOptions(), graph.WithNotifier(notifier), graph.WithLogger(quiet),
		graph.WithMaxRequests(0), graph.WithMaxCalls(0))...)
	if err != nil {
		tb.Fatal(err)
	}
	front, err := n.Start(cluster.Platform{Graph: p.handler, HTTP: p.handler, Fenced: p.fenced})
	if err != nil {
		tb.Fatal(err)
	}
	p.front = front
	p.server = httptest.NewServer(front)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		p.server.Close()
		p.endAll()
		_ = p.handler.Shutdown(ctx)
		_ = n.Close(ctx)
	})
	return p
}

// startCluster starts three nodes, and waits until all have a lease, the journal is there, and all
// reach all.
func startCluster(tb testing.TB) (nodes []*platform) {
	tb.Helper()
	return startClusterWith(tb, member.Timing{})
}

func startClusterWith(tb testing.TB, timing member.Timing) (nodes []*platform) {
	tb.Helper()
	peers := peersOf(tb, 3)
	for _, name := range names[:len(peers)] {
		nodes = append(nodes, startNode(tb, cluster.Options{Node: name, Peers: peers, Timing: timing}))
	}
	for _, p := range nodes {
		p.ready(tb)
	}
	for _, p := range nodes {
		for _, other := range nodes {
			until(tb, "all reach all", func() bool { return p.node.Reaches(other.node) })
		}
	}
	return nodes
}

func (p *platform) ready(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := p.node.WaitReady(ctx); err != nil {
		tb.Fatal(err)
	}
	if err := p.node.WaitJournal(ctx); err != nil {
		tb.Fatal(err)
	}
}

func (p *platform) create(_ context.Context, c graph.NewCall) (*graph.Call, error) {
	m := new(queuetest.Media)
	q, err := queue.New(uuid.NewString(), m, queue.WithObserver(p.handler), queue.WithLogger(quiet))
	if err != nil {
		return nil, err
	}
	call, err := c.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: c.Application.ID, CallbackURI: c.CallbackURI,
		Resource: c.Resource, State: graph.State{Call: graph.Established},
	})
	if err != nil {
		q.Close(nil)
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[call.ID()], p.media[call.ID()] = call, m
	return call, nil
}

// fenced ends the calls that are this node's no more.
func (p *platform) fenced() {
	p.mu.Lock()
	calls := make([]*graph.Call, 0, len(p.calls))
	for id, c := range p.calls {
		if !p.node.Holds(id) {
			calls = append(calls, c)
			delete(p.calls, id)
		}
	}
	p.mu.Unlock()
	for _, c := range calls {
		_ = c.Detach(graph.ResultInfo{})
	}
}

func (p *platform) endAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, c := range p.calls {
		_ = c.Detach(graph.ResultInfo{})
		delete(p.calls, id)
	}
}

// call returns a call of this node.
func (p *platform) call(id string) *graph.Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[uuid.MustParse(id)]
}

func (p *platform) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// reply is what a client got.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	took   time.Duration
}

func (r reply) text(member string) string {
	s, _ := r.body[member].(string)
	return s
}

// request sends a request to a node.
func (p *platform) request(tb testing.TB, method, path, body string) reply {
	tb.Helper()
	r, err := p.try(tb.Context(), method, path, body)
	if err != nil {
		tb.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (p *platform) try(ctx context.Context, method, path, body string) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, p.server.URL+"/v1.0/communications/calls"+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	start := time.Now()
	w, err := p.server.Client().Do(r)
	if err != nil {
		return reply{}, err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	rep := reply{status: w.StatusCode, header: w.Header, took: time.Since(start)}
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &rep.body)
	}
	return rep, err
}

func (p *platform) newCall(tb testing.TB, b *bot) string {
	tb.Helper()
	r := p.request(tb, http.MethodPost, "", fmt.Sprintf(`{"callbackUri":%q}`, b.server.URL))
	if r.status != http.StatusCreated {
		tb.Fatalf("creating a call: %d, %v", r.status, r.body)
	}
	return r.text("id")
}

func playBody(clientContext string) string {
	return fmt.Sprintf(`{"clientContext":%q,"prompts":[{"mediaInfo":{"uri":"https://cdn.example/a.wav"}}]}`, clientContext)
}

func (p *platform) play(tb testing.TB, call, clientContext string) reply {
	tb.Helper()
	return p.request(tb, http.MethodPost, "/"+call+"/playPrompt", playBody(clientContext))
}
