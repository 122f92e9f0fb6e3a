package member_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/internal/natsserver"
	"ivrqueue/cluster/member"
)

// rig is a cluster in one process: a NATS server for each node, and a member that talks to it.
type rig struct {
	servers []*server.Server
	nodes   []*node
}

// node is a node, and what its observer was told.
type node struct {
	*member.Member

	mu     sync.Mutex // guards the block below
	events []member.Event
}

func (n *node) observe(e member.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

// kinds returns what was told, save changes of the view.
func (n *node) kinds() (kinds []member.EventKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.events {
		if e.Kind != member.Changed {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

var names = []string{"a", "b", "c"}

// patient has leases that a machine which is held up for seconds does not end.
var patient = member.Timing{Beat: 100 * time.Millisecond, Lease: 5 * time.Second, Death: 7500 * time.Millisecond}

// quiet is for those whose logs say nothing that the test does not ask.
var quiet = member.WithLogger(slog.New(slog.DiscardHandler))

// startServers starts servers that know each other.
func startServers(t *testing.T, n int) (servers []*server.Server) {
	t.Helper()
	for i := range n {
		route := ""
		if i > 0 {
			route = servers[0].ClusterAddr().String()
		}
		servers = append(servers, startServer(t, &server.Options{ServerName: fmt.Sprintf("s%d", i), Host: newHost(), Port: -1}, route))
	}
	return servers
}

var hosts atomic.Uint32

// newHost returns an address of this machine that nobody else uses: a server that is gone finds its
// port free there. On 127.0.0.1 a port that is free is soon somebody else's.
func newHost() string {
	if runtime.GOOS != "linux" { // where all of 127.0.0.0/8 is this machine
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()>>8&63, os.Getpid()&255, 1+hosts.Add(1)%254)
}

// startServer starts a server, as long as the test lives.
func startServer(t *testing.T, o *server.Options, route string) *server.Server {
	t.Helper()
	o.NoLog, o.NoSigs = true, true
	// Nor does a server of another test join: it may have the port that one of these had.
	o.Cluster = server.ClusterOpts{Name: t.Name(), Host: "127.0.0.1", Port: -1}
	if route != "" {
		o.Routes = []*url.URL{{Scheme: "nats", Host: route}}
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { natsserver.Stop(s) })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	return s
}

// connect connects to a server and to no other, as long as the test lives.
func connect(t *testing.T, s *server.Server) *nats.Conn {
	t.Helper()
	closed := make(chan struct{})
	conn, err := nats.Connect(s.ClientURL(), nats.Timeout(time.Minute), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
		nats.IgnoreDiscoveredServers(),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		<-closed
	})
	return conn
}

// join makes a member, as long as the test lives.
func join(t *testing.T, conn *nats.Conn, name string) *node {
	t.Helper()
	n := &node{}
	m, err := member.New(conn, name, names, member.WithObserver(n.observe), member.WithTiming(patient), quiet)
	if err != nil {
		t.Fatal(err)
	}
	n.Member = m
	t.Cleanup(func() {
		if err := m.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		<-m.Done()
	})
	return n
}

func startCluster(t *testing.T) *rig {
	t.Helper()
	r := &rig{servers: startServers(t, len(names))}
	for i, name := range names {
		r.nodes = append(r.nodes, join(t, connect(t, r.servers[i]), name))
	}
	for _, n := range r.nodes {
		eventually(t, "every node holds", n.Holds)
	}
	for _, n := range r.nodes {
		eventually(t, "all see all", func() bool { return len(n.View().Live()) == len(names) })
	}
	return r
}

// eventually waits for something that must come to be true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// addressOf returns the address of a server, for another one to take.
func addressOf(s *server.Server) (host string, port int) {
	a := s.Addr().(*net.TCPAddr)
	return a.IP.String(), a.Port
}
