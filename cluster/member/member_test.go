package member_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ivrqueue/cluster/member"
)

func TestEveryNodeHoldsAndSeesTheOthers(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	for i, n := range r.nodes {
		l := n.Lease()
		eventually(t, "all support all", func() bool { return n.Supporters() == len(names) })
		if l.Node() != names[i] || !l.Holds() {
			t.Errorf("lease of %s, holds is %v", l.Node(), l.Holds())
		}
		for _, other := range r.nodes {
			if e, ok := other.View().Epoch(names[i]); !ok || e != l.Epoch() {
				t.Errorf("epoch %d of %s, want %d", e, names[i], l.Epoch())
			}
		}
	}
}

// The server of a node dies, and with it all its connections: the node is fenced and its heirs are
// named; when the server is back the node has a new epoch.
func TestANodeWhoseServerDiesIsFencedAndComesBack(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	lease := r.nodes[0].Lease()
	host, port := addressOf(r.servers[0])
	routes := r.servers[1].ClusterAddr().String()
	r.servers[0].Shutdown()
	r.servers[0].WaitForShutdown()

	for _, n := range r.nodes[1:] {
		eventually(t, "the death is decided", func() bool { return n.View().Ended("a", lease.Epoch()) })
		if lease.Holds() {
			t.Error("the lease holds after the death")
		}
		eventually(t, "the others live on", func() bool {
			return n.Holds() && slices.Equal(n.View().Live(), []string{"b", "c"})
		})
	}
	<-lease.Done()
	shares := map[string]int{}
	for i := range byte(200) {
		call := [16]byte{i}
		b, _ := r.nodes[1].View().Heir("a", lease.Epoch(), call)
		c, ok := r.nodes[2].View().Heir("a", lease.Epoch(), call)
		if b != c || !ok {
			t.Fatalf("the heirs of call %d are %q and %q", i, b, c)
		}
		shares[b]++
	}
	if shares["b"] < 60 || shares["c"] < 60 {
		t.Errorf("the shares are %v", shares)
	}

	startServer(t, &server.Options{ServerName: "again", Host: host, Port: port}, routes)
	eventually(t, "the node is back", func() bool { return r.nodes[0].Holds() })
	if e := r.nodes[0].Lease().Epoch(); e <= lease.Epoch() {
		t.Errorf("epoch %d after %d", e, lease.Epoch())
	}
	if lease.Holds() {
		t.Error("the old lease holds")
	}
	eventually(t, "its observer gets both", func() bool {
		return slices.Equal(r.nodes[0].kinds(), []member.EventKind{member.Began, member.Fenced, member.Began})
	})
}

func TestANodeThatClosesIsDeadAtOnce(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	n := r.nodes[2]
	lease := n.Lease()
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lease.Holds() || n.Lease() != nil || !errors.Is(n.Err(), member.ErrClosed) {
		t.Errorf("holds is %v, lease %v, err %v", lease.Holds(), n.Lease(), n.Err())
	}
	<-n.Done()
	if got := n.kinds(); !slices.Equal(got, []member.EventKind{member.Began, member.Fenced}) {
		t.Errorf("told %v", got)
	}
	start := time.Now()
	eventually(t, "the death is decided", func() bool { return r.nodes[0].View().Ended("c", lease.Epoch()) })
	if took := time.Since(start); took > patient.Lease {
		t.Errorf("it took %v", took)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestTheSecondOfOneNameIsToldSo(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	lease := r.nodes[1].Lease()
	second := join(t, connect(t, r.servers[0]), "b")
	<-second.Done()
	if err := second.Err(); !errors.Is(err, member.ErrNameTaken) || !strings.Contains(err.Error(), "b, says ") {
		t.Errorf("err is %v", err)
	}
	if got := second.kinds(); !slices.Equal(got, []member.EventKind{member.Failed}) {
		t.Errorf("told %v", got)
	}
	if !lease.Holds() {
		t.Error("the first does not hold")
	}
}

func TestNodesThatAreConfiguredDifferentlyAreToldHow(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	if err := r.nodes[0].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := patient
	other.Death += time.Second
	others := map[string]*member.Member{}
	for _, c := range []struct {
		what  string
		nodes []string
		with  member.Option
	}{
		{"names", []string{"a", "b", "x"}, nil},
		{"a name that is not of the cluster", []string{"x", "b", "c"}, nil},
		{"times", names, member.WithTiming(other)},
	} {
		m, err := member.New(connect(t, r.servers[0]), c.nodes[0], c.nodes, quiet, member.WithTiming(patient), c.with)
		if err != nil {
			t.Fatal(err)
		}
		others[c.what] = m
	}
	for what, m := range others {
		<-m.Done()
		if err := m.Err(); !errors.Is(err, member.ErrMisconfigured) || strings.Count(err.Error(), " has nodes ") != 2 {
			t.Errorf("%s: err is %v", what, err)
		}
	}
}

// An observer that does everything that it must not.
func TestAnObserverMayDoAnything(t *testing.T) {
	t.Parallel()
	servers := startServers(t, 1)
	conn := connect(t, servers[0])
	told := make(chan member.EventKind, 100)
	release := make(chan struct{})
	began := 0
	var m *member.Member
	ready := make(chan struct{})
	m, err := member.New(conn, "a", names, member.WithTiming(patient), member.WithLogger(slog.New(badHandler{})),
		member.WithObserver(func(e member.Event) {
			<-ready
			m.View()
			m.Err()
			_ = m.Saw("b", 1)
			told <- e.Kind
			switch began++; began {
			case 1:
				panic("told")
			case 2:
				runtime.Goexit()
			case 3:
				<-release
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	close(ready)
	others := []*node{join(t, conn, "b"), join(t, conn, "c")}
	eventually(t, "it holds whatever the observer does", m.Holds)
	for _, n := range others {
		eventually(t, "others hold", n.Holds)
	}
	close(release)
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	<-m.Done()
	close(told)
	var last member.EventKind
	for kind := range told {
		if kind != member.Changed {
			last = kind
		}
	}
	if last != member.Fenced {
		t.Errorf("the last event is %v, want fenced", last)
	}
}

type badHandler struct{}

func (badHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (badHandler) Handle(context.Context, slog.Record) error { panic("handler") }
func (badHandler) WithAttrs([]slog.Attr) slog.Handler        { return badHandler{} }
func (badHandler) WithGroup(string) slog.Handler             { return badHandler{} }

// Whatever comes in over NATS.
func TestMessagesOfStrangersAreIgnored(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	conn := connect(t, r.servers[0])
	lease := r.nodes[0].Lease()
	long := strings.Repeat("x", 1<<15)
	for _, text := range []string{
		"", "{", "null", "[]", `{"from":"b"}`, `{"from":"b","boot":1,"epoch":0}`, `{"from":"` + long + `"}`,
		`{"from":"b","boot":1,"epoch":4294967295}`, `{"from":".>","boot":1,"epoch":1}`,
		`{"from":"b","to":"a","boot":1,"verdict":1,"nodes":[]}`, `{"from":"b","verdict":1,"nodes":[{},{},{"floor":4294967295}]}`,
		`{"from":"b","verdict":200,"nodes":[{},{},{"heirs":[1]}]}`, `{"from":"nobody","boot":1,"epoch":9,"config":"` + long[:100] + `"}`,
		`{"from":"b","boot":18446744073709551616,"epoch":1e99}`, `{"from":"b","boot":1,"epoch":-1}`,
	} {
		for _, subject := range []string{"ivrqueue.member.beat", "ivrqueue.member.answer.a"} {
			if err := conn.Publish(subject, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(2 * patient.Lease) // more than one that nobody extends
	defer timer.Stop()
	<-timer.C
	if !lease.Holds() {
		t.Error("the lease does not hold")
	}
}

func TestASingleNodeNeedsNoServer(t *testing.T) {
	t.Parallel()
	m, err := member.New(nil, "a", []string{"a"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	l := m.Lease()
	if !m.Holds() || !l.Holds() || !slices.Equal(m.View().Live(), []string{"a"}) {
		t.Errorf("holds is %v, live %v", m.Holds(), m.View().Live())
	}
	if heir, ok := m.View().Heir("a", l.Epoch()-1, [16]byte{}); !ok || heir != "a" {
		t.Errorf("heir of the process before is %q, %v", heir, ok)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v", m, l) // they are not read by reflection meanwhile
		}
	})
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	<-m.Done()
	if l.Holds() {
		t.Error("it holds after Close")
	}
	all.Wait()
	if got, want := fmt.Sprint(m, l), fmt.Sprintf("member a lease of a, epoch %d", l.Epoch()); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestTheZeroLeaseHoldsNothing(t *testing.T) {
	t.Parallel()
	if new(member.Lease).Holds() {
		t.Error("it holds")
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	many := make([]string, member.MaxNodes+1)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	for name, c := range map[string]struct {
		name  string
		nodes []string
		with  member.Option
		want  string
	}{
		"no nodes":          {"a", nil, nil, "0 names: a cluster has 1 node, or 3 to 15"},
		"two nodes":         {"a", []string{"a", "b"}, nil, "2 names: a cluster has 1 node, or 3 to 15"},
		"too many":          {"a", many, nil, "16 names, at most 15"},
		"the same twice":    {"a", []string{"a", "b", "b"}, nil, `"b" is there twice`},
		"another name":      {"d", names, nil, `name: "d" is not among the nodes`},
		"an empty name":     {"", []string{""}, nil, `nodes: "" must be 1 to 64 letters`},
		"a subject":         {"a", []string{"a", "b.c", "d"}, nil, `nodes: "b.c" must be 1 to 64 letters`},
		"a long name":       {"a", []string{"a", "b", strings.Repeat("x", 65)}, nil, "must be 1 to 64 letters"},
		"no connection":     {"a", names, nil, "conn: nil"},
		"a short beat":      {"a", names, member.WithTiming(member.Timing{Beat: 1, Lease: time.Second, Death: time.Hour}), "Beat is 1ns, must be 10ms to 1m"},
		"a short lease":     {"a", names, member.WithTiming(member.Timing{Beat: time.Second, Lease: 3 * time.Second, Death: time.Hour}), "Lease is 3s, must be at least 4 beats (4s)"},
		"a short death":     {"a", names, member.WithTiming(member.Timing{Beat: time.Second, Lease: 4 * time.Second, Death: 6*time.Second - 1}), "must be at least 1½ leases (6s)"},
		"a bad prefix":      {"a", names, member.WithSubject("a.b"), `WithSubject: "a.b"`},
		"a bad first epoch": {"a", names, member.WithFirstEpoch(1<<32 - 1), "WithFirstEpoch: 4294967295, must be 1 to"},
		"no first epoch":    {"a", names, member.WithFirstEpoch(0), "WithFirstEpoch: 0, must be 1 to"},
		"a nil handler":     {"a", names, member.WithLogger(slog.New((*slog.TextHandler)(nil))), "WithLogger: a logger without a handler"},
		"no handler":        {"a", names, member.WithLogger(new(slog.Logger)), "WithLogger: a logger without a handler"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := member.New(nil, c.name, c.nodes, nil, c.with)
			if m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("err is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestSawNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	m, err := member.New(nil, "a", []string{"a"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	if err := m.Saw("x", 1); err == nil || !strings.Contains(err.Error(), `node "x"`) {
		t.Errorf("err is %v", err)
	}
	if err := m.Saw("a", 1<<32-1); err == nil || !strings.Contains(err.Error(), "epoch is 4294967295") {
		t.Errorf("err is %v", err)
	}
}

func TestACloseThatIsGivenNoTimeReturns(t *testing.T) {
	t.Parallel()
	r := startCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = r.nodes[0].Close(ctx) // it may be through already
	if r.nodes[0].Holds() || !errors.Is(r.nodes[0].Err(), member.ErrClosed) {
		t.Error("it has not ended")
	}
}

func TestNewOnAClosedConnectionFails(t *testing.T) {
	t.Parallel()
	conn := connect(t, startServers(t, 1)[0])
	conn.Close()
	if m, err := member.New(conn, "a", names); err == nil || m != nil {
		t.Errorf("err is %v", err)
	}
}

func BenchmarkHolds(b *testing.B) {
	m, err := member.New(nil, "a", []string{"a"}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close(b.Context())
	l := m.Lease()
	b.ReportAllocs()
	for b.Loop() {
		if !l.Holds() {
			b.Fatal("it does not hold")
		}
	}
}
