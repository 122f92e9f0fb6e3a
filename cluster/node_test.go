package cluster_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster"
	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/internal/natsserver"
	"ivrqueue/cluster/member"
	"ivrqueue/graph"
	"ivrqueue/webhook"
)

// Three nodes, and a bot that talks to whichever: its call is served by its owner, its answers are
// those of one node, and when the owner is gone its end is told. (How soon: by failtest.)
func TestACallIsServedByAnyNodeAndItsEndIsToldWithoutItsOwner(t *testing.T) {
	t.Parallel()
	nodes, b := startCluster(t), newBot(t)
	owner, other, third := nodes[0], nodes[1], nodes[2]
	call := owner.newCall(t, b)
	b.waitLine(t, call, "established")

	played := other.play(t, call, "one")
	if played.status != http.StatusOK || played.text("clientContext") != "one" {
		t.Fatalf("got %d, %v", played.status, played.body)
	}
	if want := other.server.URL + "/v1.0/communications/calls/" + call + "/operations/" + played.text("id"); played.header.Get("Location") != want {
		t.Errorf("Location: got %q, want %q", played.header.Get("Location"), want)
	}
	third.play(t, call, "two")
	if got := third.request(t, http.MethodPost, "/"+call+"/cancelMediaProcessing", `{}`); got.status != http.StatusOK {
		t.Errorf("cancel: got %d, %v", got.status, got.body)
	}
	b.waitLine(t, call, "failed two 400/8508")
	until(t, "its owner knows what was told", func() bool { return len(owner.call(call).Owes().Posts) == 0 })
	third.play(t, call, "three")
	other.play(t, call, "four")
	for _, p := range []*platform{other, third} {
		until(t, "the others know what is owed", func() bool { return p.node.Knows("a", uuid.MustParse(call), "four") })
	}
	if got := other.request(t, http.MethodGet, "/"+call, ""); got.status != http.StatusOK || got.text("id") != call {
		t.Errorf("get: got %d, %v", got.status, got.body)
	}

	b.refuse(true) // its end is not told before this is asked
	start := time.Now()
	owner.node.Cut()
	if got := other.play(t, call, "five"); got.status != http.StatusServiceUnavailable {
		t.Errorf("without its owner: got %d", got.status)
	}
	b.refuse(false)
	b.waitLine(t, call, "terminated 500/9999")
	t.Logf("told after %v", time.Since(start))
	want := []string{
		"established", "failed one 400/8508", "failed two 400/8508", "failed three 500/9999",
		"failed four 500/9999", "terminated 500/9999",
	}
	if got := b.of(call); !slices.Equal(got, want) {
		t.Errorf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, p := range []*platform{other, third} {
		var got reply
		until(t, "it has heard that all was told", func() bool {
			got = p.play(t, call, "six")
			return got.status != http.StatusServiceUnavailable
		})
		if code := got.body["error"].(map[string]any)["code"]; got.status != http.StatusNotFound || code != "8522" {
			t.Errorf("afterwards: got %d, %v", got.status, got.body)
		}
	}
	until(t, "the old owner has no calls", func() bool { return owner.count() == 0 })
}

// What one heir knows of a dead node the others get from it, whichever of them is to deliver it: it was
// shown before one of them was there, and is not in the bucket.
func TestHeirsTellWhatOneOfThemKnows(t *testing.T) {
	t.Parallel()
	const calls = 24
	peers, b := peersOf(t, 3), newBot(t)
	knows := startNode(t, cluster.Options{Node: "b", Peers: peers})
	dead, owed := callid.Owner{Node: callid.Of("a"), Epoch: 7}, make(map[uuid.UUID]graph.Owed)
	for range calls {
		owed[callid.New(dead)] = graph.Owed{
			Application: "app", CallbackURI: b.server.URL, State: graph.State{Call: graph.Established}, Version: 1,
		}
	}
	if err := knows.node.Show(dead, "a", owed); err != nil {
		t.Fatal(err)
	}
	startNode(t, cluster.Options{Node: "c", Peers: peers})
	for call := range owed {
		b.waitLine(t, call.String(), "terminated 500/9999")
	}
	for call := range owed {
		if got := b.of(call.String()); !slices.Equal(got, []string{"terminated 500/9999"}) {
			t.Errorf("%s: got %q", call, got)
		}
	}
}

// A record that an heir cannot read, of a newer build, say, stays for those that can. The others are
// told.
func TestARecordThatCannotBeReadIsLeft(t *testing.T) {
	t.Parallel()
	peers, b := peersOf(t, 3), newBot(t)
	dead := callid.Owner{Node: callid.Of("a"), Epoch: 7}
	good, bad := callid.New(dead), callid.New(dead)
	text, err := json.Marshal(&graph.Owed{
		Application: "app", CallbackURI: b.server.URL, State: graph.State{Call: graph.Established}, Version: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	nodes := []*platform{startNode(t, cluster.Options{Node: "b", Peers: peers})}
	if err := nodes[0].node.ShowRecords(dead, "a", map[uuid.UUID]string{good: string(text), bad: "?" + string(text)}); err != nil {
		t.Fatal(err)
	}
	nodes = append(nodes, startNode(t, cluster.Options{Node: "c", Peers: peers}))
	b.waitLine(t, good.String(), "terminated 500/9999")
	hasTried := func(p *platform) bool { return p.node.Stats().Unread > 0 }
	owes := func(p *platform) bool { return p.node.Owes(bad) }
	until(t, "its heir tries it", func() bool {
		return slices.ContainsFunc(nodes, hasTried) || !slices.ContainsFunc(nodes, owes)
	})
	if !slices.ContainsFunc(nodes, owes) {
		t.Error("what could not be read is gone")
	}
	for _, p := range nodes {
		until(t, "the other is over", func() bool { return !p.node.Owes(good) })
		if unread := p.node.Stats().Unread; unread > 1 {
			t.Errorf("one record was not read %d times", unread)
		}
	}
	if got := b.of(bad.String()); len(got) > 0 {
		t.Errorf("told of what could not be read: %q", got)
	}
}

// slowWriter is a client that reads when it may.
type slowWriter struct {
	*httptest.ResponseRecorder

	once    sync.Once
	written chan int // the status
	may     chan struct{}
}

func (w *slowWriter) WriteHeader(status int) {
	w.once.Do(func() { w.written <- status })
	<-w.may
	w.ResponseRecorder.WriteHeader(status)
}

// No notification overtakes the answer that another node brings to the client; of a client that
// does not read, a second.
func TestNoNotificationOvertakesAForwardedAnswer(t *testing.T) {
	t.Parallel()
	nodes, b := startCluster(t), newBot(t)
	call := nodes[0].newCall(t, b)
	b.waitLine(t, call, "established")
	const quick = 900 * time.Millisecond
	for i, reads := 0, true; ; i++ {
		name := fmt.Sprint("reads ", reads, i)
		w := &slowWriter{ResponseRecorder: httptest.NewRecorder(), written: make(chan int, 1), may: make(chan struct{})}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/communications/calls/"+call+"/playPrompt", strings.NewReader(playBody(name)))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		done, start := make(chan struct{}), time.Now()
		go func() {
			defer close(done)
			nodes[1].front.ServeHTTP(w, r)
		}()
		if status := <-w.written; status != http.StatusOK {
			close(w.may)
			t.Fatalf("%s: answered %d", name, status)
		}
		nodes[0].call(call).Queue().CancelAll() // its end is to be told
		if reads {
			time.AfterFunc(300*time.Millisecond, func() { close(w.may) })
		}
		b.waitLine(t, call, "failed "+name+" 400/8508")
		took, least := time.Since(start), 300*time.Millisecond
		if !reads {
			least = quick
			close(w.may)
		}
		if took < least {
			t.Errorf("%s: told after %v, want %v", name, took, least)
		}
		<-done
		switch {
		case !reads:
			return
		case took < quick:
			reads = false
		case i == 30: // the machine may be held up now and then
			t.Fatalf("clients that read their answers are notified after %v and more", quick)
		}
	}
}

// Nodes that can't be: a clear error each.
func TestNodesThatCannotBe(t *testing.T) {
	t.Parallel()
	three := map[string]string{"a": "127.0.0.1:1", "b": "127.0.0.1:2", "c": "127.0.0.1:3"}
	for what, c := range map[string]struct {
		o    cluster.Options
		want string
	}{
		"no name":            {cluster.Options{Node: "a", Peers: three, Dir: "x"}, "Cluster is"},
		"a bad name":         {cluster.Options{Cluster: "a.b", Node: "a", Peers: three, Dir: "x"}, "Cluster is"},
		"neither":            {cluster.Options{Cluster: "x", Node: "a"}, "Peers or Servers"},
		"both":               {cluster.Options{Cluster: "x", Node: "a", Peers: three, Servers: []string{"nats://h:1"}}, "Peers or Servers"},
		"two nodes":          {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: map[string]string{"a": "127.0.0.1:1", "b": "127.0.0.1:2"}}, "two nodes"},
		"another node":       {cluster.Options{Cluster: "x", Node: "z", Dir: "x", Peers: three}, "Node is"},
		"no folder":          {cluster.Options{Cluster: "x", Node: "a", Peers: three}, "Dir is empty"},
		"an address":         {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: map[string]string{"a": "nowhere"}}, `Peers["a"]`},
		"a port":             {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: map[string]string{"a": "127.0.0.1:99999"}}, `Peers["a"]`},
		"no secret":          {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: map[string]string{"a": "10.0.0.1:1", "b": "10.0.0.2:2", "c": "10.0.0.3:3"}}, "Secret or TLS"},
		"replicas":           {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: three, Replicas: 2}, "Replicas is 2"},
		"too many replicas":  {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: three, Replicas: 5}, "Replicas is 5"},
		"a node twice":       {cluster.Options{Cluster: "x", Node: "a", Nodes: []string{"a", "a", "b"}, Servers: []string{"nats://h:1"}}, "there twice"},
		"a node's name":      {cluster.Options{Cluster: "x", Node: "a", Nodes: []string{"a", "b.c", "d"}, Servers: []string{"nats://h:1"}}, "letters, digits"},
		"a URL":              {cluster.Options{Cluster: "x", Node: "a", Nodes: []string{"a"}, Servers: []string{"http://h:1"}}, "no URL of a NATS server"},
		"of others' servers": {cluster.Options{Cluster: "x", Node: "a", Nodes: []string{"a"}, Servers: []string{"nats://h:1"}, Dir: "x"}, "belong to Peers"},
		"no handler":         {cluster.Options{Cluster: "x", Node: "a", Dir: "x", Peers: three, Logger: new(slog.Logger)}, "Logger has no handler"},
		"nobody there":       {cluster.Options{Cluster: "x", Node: "a", Nodes: []string{"a"}, Servers: []string{"nats://user:hidden@127.0.0.1:1"}}, `none of the NATS servers ["127.0.0.1:1"]`},
		"credentials":        {cluster.Options{Cluster: "x", Node: "a", Nodes: []string{"a"}, Servers: []string{"nats://127.0.0.1:1"}, Credentials: "/no/such/file"}, "none of the NATS servers"},
	} {
		c.o.Logger = cmp.Or(c.o.Logger, quiet)
		n, err := cluster.New(c.o)
		if n != nil || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got %v, want an error with %q", what, err, c.want)
		}
	}
}

// An address that is taken, and a folder that can't be one.
func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	free := peersOf(t, 3)
	taken := maps.Clone(free)
	taken["a"] = l.Addr().String()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, o := range map[string]cluster.Options{
		"taken":  {Cluster: "x", Node: "a", Peers: taken, Dir: t.TempDir(), Logger: quiet},
		"a file": {Cluster: "x", Node: "a", Peers: free, Dir: file, Logger: quiet},
	} {
		n, err := cluster.New(o)
		if n != nil || err == nil {
			t.Errorf("%s: got %v", what, err)
		}
		t.Log(what, err)
	}
}

// Of what a NATS server says an operator hears what is wrong, once; and the node, that something could
// not be written.
func TestOfAServersLogWhatIsWrongIsHeardOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		broken := 0
		log := cluster.NewServerLog(slog.New(slog.NewTextHandler(&text, nil)), func() { broken++ })
		for range 2 {
			log.Noticef("Server is ready")
			log.Warnf("%s", "Waiting for routing to be established...")
			log.Errorf("Error trying to connect to route (attempt %v): %v", 1, "refused")
			log.Errorf("Error trying to connect to route (attempt %v): %v", 60, "refused")
		}
		if got := strings.Count(text.String(), "\n"); got != 1 || !strings.Contains(text.String(), "attempt 60") || broken != 0 {
			t.Errorf("%d lines, broken %d times:\n%s", got, broken, &text)
		}
		time.Sleep(time.Minute)
		log.Errorf("Error trying to connect to route (attempt %v): %v", 60, "refused")
		log.Errorf("RAFT [x - y] Critical write error: %v", "no space left on device")
		if got := strings.Count(text.String(), "\n"); got != 3 || broken != 1 {
			t.Errorf("later: %d lines, broken %d times:\n%s", got, broken, &text)
		}
	})
}

// A single node is a cluster too: its journal outlives it, and the next life tells what the last
// one owed.
func TestASingleNodeTellsWhatItsLastLifeOwed(t *testing.T) {
	t.Parallel()
	b := newBot(t)
	o := cluster.Options{Node: "a", Peers: peersOf(t, 1), Dir: t.TempDir()}
	first := startNode(t, o)
	second := time.Now().Unix()
	first.ready(t)
	call := first.newCall(t, b)
	first.play(t, call, "one")
	b.waitLine(t, call, "established")
	if err := first.node.DrainJournal(); err != nil { // a request waits for it for 250 ms at most
		t.Fatal(err)
	}
	first.node.Cut()
	until(t, "the next epoch is a later one: it is a second", func() bool { return time.Now().Unix() > second })
	startNode(t, o).ready(t)
	b.waitLine(t, call, "terminated 500/9999")
	want := []string{"established", "failed one 500/9999", "terminated 500/9999"}
	if got := slices.Compact(b.of(call)); !slices.Equal(got, want) { // a repeat is no fault
		t.Errorf("told %q, want %q", got, want)
	}
}

// Of ids that somebody has made up nothing is kept.
func TestNothingIsKeptOfIDsThatAreMadeUp(t *testing.T) {
	t.Parallel()
	p := startNode(t, cluster.Options{Node: "a", Peers: peersOf(t, 1)})
	p.ready(t)
	for i := range 100 {
		for node, want := range map[string]int{"a": http.StatusServiceUnavailable, "nobody": http.StatusNotFound} {
			id := callid.New(callid.Owner{Node: callid.Of(node), Epoch: 4_000_000_000 + uint32(i)})
			if got := p.play(t, id.String(), "x"); got.status != want {
				t.Fatalf("%s: got %d, want %d", node, got.status, want)
			}
		}
	}
	if n := p.node.Lives(); n != 0 {
		t.Errorf("%d lives are kept", n)
	}
}

// A node delivers for its own calls, while its lease holds, and for nobody else's.
func TestNothingIsDeliveredWithoutALease(t *testing.T) {
	t.Parallel()
	p := startNode(t, cluster.Options{Node: "a", Peers: peersOf(t, 1)})
	p.ready(t)
	own, err := p.node.NewCallID()
	if err != nil {
		t.Fatal(err)
	}
	may := func(id uuid.UUID) error { return p.node.MayDeliver(&webhook.Delivery{CallID: id}) }
	if err := may(own); err != nil || !p.node.Holds(own) {
		t.Errorf("its own: %v", err)
	}
	for _, id := range []uuid.UUID{{}, uuid.New(), callid.New(callid.Owner{Node: callid.Of("a"), Epoch: 1}), callid.New(callid.Owner{Node: callid.Of("b"), Epoch: 1})} {
		if err := may(id); !errors.Is(err, cluster.ErrFenced) || p.node.Holds(id) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if err := p.node.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := may(own); !errors.Is(err, cluster.ErrFenced) || p.node.Holds(own) {
		t.Errorf("closed: %v", err)
	}
}

// A node that can't reach the others answers 503, and its health is good: it is no fault of its
// own.
func TestANodeWithoutTheOthersIsUnavailable(t *testing.T) {
	t.Parallel()
	p := startNode(t, cluster.Options{Node: "a", Peers: peersOf(t, 3)})
	if got := p.request(t, http.MethodPost, "", `{"callbackUri":"http://127.0.0.1:1/"}`); got.status != http.StatusServiceUnavailable {
		t.Errorf("got %d", got.status)
	}
	if err := p.node.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
	if _, err := p.node.NewCallID(); !errors.Is(err, cluster.ErrNoLease) {
		t.Errorf("an id: %v", err)
	}
	p.node.Drain()
	if err := p.node.Health(); err == nil {
		t.Error("the health of one that drains is good")
	}
}

// Calls go on without the journal: nobody waits for it, a counter says so, and when it is back it is
// written.
func TestCallsGoOnWithoutTheJournal(t *testing.T) {
	t.Parallel()
	nodes, b := startCluster(t), newBot(t)
	p := nodes[0]
	call := p.newCall(t, b)
	for _, n := range nodes {
		n.node.StopJournal(t)
	}
	for i := range 20 {
		if got := p.play(t, call, strconv.Itoa(i)); got.status != http.StatusOK {
			t.Errorf("play %d: %d", i, got.status)
		}
		if got := nodes[1].request(t, http.MethodPost, "/"+call+"/cancelMediaProcessing", `{}`); got.status != http.StatusOK {
			t.Errorf("cancel %d: %d", i, got.status)
		}
		b.waitLine(t, call, fmt.Sprintf("failed %d 400/8508", i))
	}
	until(t, "nobody waits for it", func() bool { // the machine may be held up now and then
		late := p.node.Stats().Unjournaled
		play := p.play(t, call, "quick")
		cancel := nodes[1].request(t, http.MethodPost, "/"+call+"/cancelMediaProcessing", `{}`)
		return p.node.Stats().Unjournaled == late && play.took < time.Second && cancel.took < 200*time.Millisecond
	})
	until(t, "a write has failed", func() bool {
		s := p.node.Stats().Journal
		return s.Failed > 0 && !s.Available
	})
	if s := p.node.Stats(); s.Journal.Shown == 0 || p.node.Health() != nil {
		t.Errorf("stats %+v, health %v", s, p.node.Health())
	}
	// The others know all the same: it has passed by.
	p.play(t, call, "last")
	until(t, "the others have the last one", func() bool {
		id := uuid.MustParse(call)
		return nodes[1].node.Knows("a", id, "last") && nodes[2].node.Knows("a", id, "last")
	})
	p.node.Cut()
	b.waitLine(t, call, "terminated 500/9999")
	if got := b.of(call); !slices.Contains(got, "failed last 500/9999") {
		t.Errorf("told %q", got)
	}
}

// A node whose disk was full keeps its part of the journal again, without a restart, when there is
// room. (failtest fills disks.)
func TestANodeWhoseDiskWasFullKeepsTheJournalAgain(t *testing.T) {
	t.Parallel()
	b := newBot(t)
	p := startNode(t, cluster.Options{Node: "a", Peers: peersOf(t, 1)})
	p.ready(t)
	call := p.newCall(t, b)
	failed := p.node.Stats().Journal.Failed
	p.node.BreakJournal()
	if p.node.Stats().Keeps || p.node.Health() != nil { // it would keep it again after 4 s
		t.Errorf("stats %+v, health %v", p.node.Stats(), p.node.Health())
	}
	until(t, "it notices", func() bool {
		p.play(t, call, "one")
		return p.node.Stats().Journal.Failed > failed
	})
	until(t, "it keeps it again", func() bool { return p.node.Stats().Keeps && p.node.Stats().Journal.Available })
	p.play(t, call, "two")
	if err := p.node.DrainJournal(); err != nil {
		t.Error(err)
	}
	until(t, "it has the call, and nothing waits", func() bool { // a delivery may arrive just now
		s := p.node.Stats().Journal
		return s.Records == 1 && s.Waiting == 0
	})
}

// A node that leaves ends nothing by itself, and nobody waits for its death.
func TestANodeLeavesAndAnotherTakesItsName(t *testing.T) {
	t.Parallel()
	nodes, b := startCluster(t), newBot(t)
	p := nodes[0]
	call := p.newCall(t, b)
	p.node.Drain()
	if got := p.request(t, http.MethodPost, "", fmt.Sprintf(`{"callbackUri":%q}`, b.server.URL)); got.status != http.StatusServiceUnavailable {
		t.Errorf("a new call: got %d", got.status)
	}
	if _, err := p.node.NewCallID(); !errors.Is(err, cluster.ErrNoLease) {
		t.Errorf("an id for a new call: got %v", err)
	}
	if got := nodes[1].play(t, call, "one"); got.status != http.StatusOK {
		t.Errorf("an old call: got %d", got.status)
	}
	p.endAll()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := p.handler.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := p.node.Close(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed after %v", time.Since(start))
	b.waitLine(t, call, "terminated 200/5001")
	until(t, "it is gone", func() bool { return nodes[1].play(t, call, "two").status == http.StatusNotFound })
	if n := nodes[1].node.Stats().Journal.Records; n != 0 {
		t.Errorf("%d records are left", n)
	}
}

// startNATS starts a server that is there for others, with a user and a password.
func startNATS(t *testing.T) (address string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true,
		StoreDir: t.TempDir(), Username: "ivr", Password: "secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(soon) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() { natsserver.Stop(s) })
	return s.Addr().String()
}

// Nodes may be clients of servers that are there: a call is routed, and told without its owner.
func TestNodesUseServersThatAreThere(t *testing.T) {
	t.Parallel()
	address, b := startNATS(t), newBot(t)
	o := cluster.Options{Nodes: []string{"a", "b", "c"}, Servers: []string{"nats://ivr:secret@" + address}, Replicas: 1}
	var nodes []*platform
	for _, name := range o.Nodes {
		o.Node = name
		nodes = append(nodes, startNode(t, o))
	}
	for _, p := range nodes {
		p.ready(t)
	}
	call := nodes[0].newCall(t, b)
	if got := nodes[1].play(t, call, "one"); got.status != http.StatusOK {
		t.Fatalf("got %d, %v", got.status, got.body)
	}
	for _, p := range nodes[1:] {
		until(t, "the others know what is owed", func() bool { return p.node.Knows("a", uuid.MustParse(call), "one") })
	}
	nodes[0].node.Cut()
	b.waitLine(t, call, "terminated 500/9999")

	o.Cluster, o.Node, o.Logger = "test", "b", quiet
	o.Servers = []string{"nats://ivr:wrong@" + address}
	if n, err := cluster.New(o); err == nil || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "wrong") || n != nil {
		t.Errorf("wrong credentials: got %v", err)
	}
}

// stalling is a way to a server, which stops reading what the first of its clients sends once that
// is as much as a socket takes.
func stalling(t *testing.T, server string) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	over := make(chan struct{})
	pass := func(to, from net.Conn, most int64) {
		defer to.Close()
		_, _ = io.CopyN(to, from, most)
		if most < math.MaxInt64 {
			<-over
		}
	}
	all.Go(func() {
		for most := int64(1 << 20); ; most = math.MaxInt64 {
			client, err := l.Accept()
			if err != nil {
				return
			}
			up, err := new(net.Dialer).DialContext(t.Context(), "tcp", server)
			if err != nil {
				t.Error(err)
				client.Close()
				return
			}
			all.Go(func() { pass(up, client, most) })
			all.Go(func() { pass(client, up, math.MaxInt64) })
		}
	})
	t.Cleanup(func() {
		close(over)
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// Nobody waits for a minute for a server that is there and does not read: the node connects anew.
func TestAServerThatDoesNotReadIsLeft(t *testing.T) {
	t.Parallel()
	conn, err := cluster.Connect(cluster.Options{
		Node: "a", Logger: quiet, Servers: []string{"nats://ivr:secret@" + stalling(t, startNATS(t))},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sub, err := conn.SubscribeSync("x") // it is there after it all
	if err != nil {
		t.Fatal(err)
	}
	began, text := time.Now(), make([]byte, 1000)
	for conn.Stats().Reconnects == 0 {
		_ = conn.Publish("y", text) // it waits while nobody reads, and fails while there is no server
		if time.Since(began) > 15*time.Second {
			t.Fatal("it waits")
		}
	}
	if err := conn.FlushTimeout(soon); err != nil {
		t.Fatal(err)
	}
	other, err := nats.Connect(conn.ConnectedUrl(), nats.UserInfo("ivr", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Publish("x", text); err != nil {
		t.Fatal(err)
	}
	if _, err := sub.NextMsg(soon); err != nil {
		t.Error(err)
	}
}

// The second of two nodes of one name is out, and its health says so; the first goes on.
func TestTheSecondOfTwoNodesOfOneNameIsOut(t *testing.T) {
	t.Parallel()
	address, b := startNATS(t), newBot(t)
	o := cluster.Options{Nodes: []string{"a", "b", "c"}, Servers: []string{"nats://ivr:secret@" + address}, Replicas: 1}
	var nodes []*platform
	for _, name := range []string{"a", "b", "c", "a"} {
		o.Node = name
		nodes = append(nodes, startNode(t, o))
		if len(nodes) == 3 {
			for _, p := range nodes {
				p.ready(t)
			}
		}
	}
	second := nodes[3]
	until(t, "it says that its name is taken", func() bool { return second.node.Health() != nil })
	if err := second.node.Health(); !errors.Is(err, member.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
	if got := second.request(t, http.MethodPost, "", `{"callbackUri":"http://127.0.0.1:1/"}`); got.status != http.StatusServiceUnavailable {
		t.Errorf("the second: got %d", got.status)
	}
	if got := nodes[0].play(t, nodes[0].newCall(t, b), "one"); got.status != http.StatusOK {
		t.Errorf("the first: got %d", got.status)
	}
}

// Who logs a node, or what it is made of, shows no secret, and reads nothing without its lock.
func TestNodesArePrinted(t *testing.T) {
	t.Parallel()
	o := cluster.Options{
		Cluster: "test", Node: "a", Peers: peersOf(t, 1), Dir: t.TempDir(), Secret: "hidden", Logger: quiet,
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("starts", slog.Any("options", o))
	const want = `node "a" of cluster "test"`
	if got := fmt.Sprintf("%+v", o); got != want || strings.Contains(log.String(), "hidden") {
		t.Errorf("got %s and %s, want %s", got, &log, want)
	}
	n, err := cluster.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v", n, n)
		}
	})
	n.Drain()
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
	all.Wait()
	if got := fmt.Sprint(n); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
