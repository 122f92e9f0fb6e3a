package route

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/internal/natsserver"
)

// gate is what connects to a server: while it is shut, nothing can be written.
type gate struct {
	*server.Server

	shut    sync.RWMutex
	blocked chan struct{} // has room for one: something is about to be written, and it is shut
}

func (g *gate) InProcessConn() (net.Conn, error) {
	conn, err := g.Server.InProcessConn()
	return gated{conn, g}, err
}

type gated struct {
	net.Conn

	gate *gate
}

func (g gated) Write(p []byte) (int, error) {
	if !g.gate.shut.TryRLock() {
		select {
		case g.gate.blocked <- struct{}{}:
		default:
		}
		g.gate.shut.RLock()
	}
	defer g.gate.shut.RUnlock()
	return g.Conn.Write(p)
}

// StartServer starts a NATS server, until the test ends.
func StartServer(tb testing.TB, o *server.Options) *server.Server {
	tb.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	s, err := server.NewServer(o)
	if err != nil {
		tb.Fatal(err)
	}
	go s.Start()
	tb.Cleanup(func() { natsserver.Stop(s) })
	if !s.ReadyForConnections(time.Minute) {
		tb.Fatal("the server does not start")
	}
	return s
}

// newRouter makes a router of a node that serves nothing, with a server of its own.
func newRouter(tb testing.TB, next http.HandlerFunc) *Router {
	tb.Helper()
	r, _ := newGatedRouter(tb, next)
	return r
}

func newGatedRouter(tb testing.TB, next http.HandlerFunc) (*Router, *gate) {
	tb.Helper()
	s := StartServer(tb, &server.Options{})
	g := &gate{Server: s, blocked: make(chan struct{}, 1)}
	conn, err := nats.Connect("", nats.InProcessServer(g), nats.Timeout(time.Minute))
	if err != nil {
		tb.Fatal(err)
	}
	owner := callid.Owner{Node: callid.Of("a"), Epoch: 7}
	life, die := context.WithCancel(tb.Context())
	t, err := New(conn, next, Options{
		Subject:  "test",
		Owner:    func() (callid.Owner, bool) { return owner, true },
		Find:     func(callid.Owner, uuid.UUID) Whereabouts { return Lives },
		Life:     func(callid.Owner) context.Context { return life },
		Draining: func() bool { return false },
		Timeout:  time.Minute,
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = t.Close(context.Background())
		die()
		conn.Close()
	})
	return t, g
}

// What is in line for a subject goes in one message, as long as it fits; its requests are numbered
// in order, and those whose client has gone are left out.
func TestWhatIsInLineSharesAMessage(t *testing.T) {
	t.Parallel()
	r := newRouter(t, serveNothing)
	sub, err := r.conn.SubscribeSync("there")
	if err != nil {
		t.Fatal(err)
	}
	var waiters []*waiter
	add := func(to *line, texts ...string) {
		for _, text := range texts {
			w := newWaiter().(*waiter)
			waiters = append(waiters, w)
			to.items = append(to.items, item{[]byte(text), w})
		}
	}
	large := strings.Repeat("x", maxBatch-1)
	there := r.lineOfAnswers("there")
	r.mu.Lock()
	add(there, "a", "gone", "b")
	there.items = append(there.items, item{text: []byte("news")})
	waiters[1].gone = true
	add(there, "c", large, "d", "e")
	there.sending = true
	r.senders++
	r.last = 4
	r.mu.Unlock()
	r.sendLine(there)
	for i, want := range []struct {
		data            string
		first, requests uint64
	}{{"abnewsc", 5, 3}, {large + "d", 8, 2}, {"e", 10, 1}} {
		m, err := sub.NextMsg(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		inbox, first, requests, err := parseReply(m.Reply)
		if string(m.Data) != want.data || inbox != r.inbox || first != want.first || requests != want.requests || err != nil {
			t.Errorf("message %d has %.20q of %d bytes, answers to %q, %v, want %.20q, of %d requests from %d on", i, m.Data, len(m.Data), m.Reply, err, want.data, want.requests, want.first)
		}
	}
	if s := r.Stats(); s.Messages != 3 {
		t.Errorf("%d messages are counted, want 3", s.Messages)
	}
	for i, want := range []uint64{5, 0, 6, 7, 8, 9, 10} {
		r.settle(reply{number: want})
		select {
		case <-waiters[i].reply:
		default:
			if want > 0 {
				t.Errorf("waiter %d is not number %d", i, want)
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if there.sending || len(r.waiters)+len(there.items)+r.senders > 0 {
		t.Errorf("left: %+v, %d waiters, %d who send", there, len(r.waiters), r.senders)
	}
}

// Anybody can make owners up: what was kept of them goes, but nothing that is to be sent, and not
// what waits for the news that an answer has arrived.
func TestIdleLinesGo(t *testing.T) {
	t.Parallel()
	r := newRouter(t, serveNothing)
	busy := callid.Owner{Node: 1, Epoch: 1}
	line := r.lineToOwner(busy)
	r.mu.Lock()
	line.sending = true // it is not ours to be sent
	r.mu.Unlock()
	released := false
	r.hold(origin{r.lineOfAnswers("answers"), 7}, func() { released = true })
	for epoch := range uint32(3 * maxOwners) {
		o := callid.Owner{Node: 2, Epoch: epoch}
		if l := r.lineToOwner(o); l != r.lineToOwner(o) || l.subject != r.subject(o)+batchToken {
			t.Fatalf("%v has two lines, or %q", o, l.subject)
		}
	}
	if r.release(origin{r.lineOfAnswers("answers"), 7}); !released {
		t.Error("what waits for an answer is forgotten")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.owners) > maxOwners || r.owners[busy] != line {
		t.Errorf("%d lines; what is being sent: %v", len(r.owners), r.owners[busy])
	}
}

// The requests of a message are answered by their numbers; one that is cut off ends it.
func TestRequestsOfAMessageAreNumbered(t *testing.T) {
	t.Parallel()
	r := newRouter(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", r.URL.RawQuery) })
	sub, err := r.conn.SubscribeSync("answers")
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	for i := range 3 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://h/x?%d", 5+i), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, newRequest(request, nil, time.Minute)...)
	}
	owner, _ := r.options.Owner()
	r.receive(owner, &nats.Msg{Subject: "x" + batchToken, Reply: "answers.5.4", Data: append(data, aRequest, 100)})
	for seen := make(map[uint64]bool); len(seen) < 3; {
		m, err := sub.NextMsg(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for data := m.Data; len(data) > 0; {
			var a reply
			if a, data, err = cutReply(data); err != nil {
				t.Fatal(err)
			}
			header, f := make(http.Header), readFields(a.head)
			f.number()
			f.header(header)
			if got := header.Get("X"); seen[a.number] || got != strconv.FormatUint(a.number, 10) {
				t.Fatalf("the answer to request %q has number %d, after %v", got, a.number, seen)
			}
			seen[a.number] = true
		}
	}
}

// Nothing is kept of a message that nobody could be answered to.
func TestNothingIsKeptOfAMessageWithoutAnOrigin(t *testing.T) {
	t.Parallel()
	r := newRouter(t, func(http.ResponseWriter, *http.Request) { t.Error("a request is served") })
	owner, _ := r.options.Owner()
	for _, reply := range []string{"", "answers", "answers.1", "answers.x.1", "answers.1.x"} {
		r.receive(owner, &nats.Msg{Subject: "x" + batchToken, Reply: reply, Data: []byte{aRequest}})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.answering) > 0 {
		t.Errorf("%d lines of answers", len(r.answering))
	}
}

// A router that was closed serves nothing more, though a message came before.
func TestNothingIsServedAfterClose(t *testing.T) {
	t.Parallel()
	r := newRouter(t, func(http.ResponseWriter, *http.Request) { t.Error("a request is served") })
	sub, err := r.conn.SubscribeSync("answers")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	owner, _ := r.options.Owner()
	r.receive(owner, &nats.Msg{Subject: "x" + batchToken, Reply: "answers.1.1", Data: newRequest(request, nil, time.Minute)})
	m, err := sub.NextMsg(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if a, _, err := cutReply(m.Data); err != nil || a.verdict != busy {
		t.Errorf("got verdict %v, %v, want %v", a.verdict, err, busy)
	}
}

// asking sends a request to nobody who answers, and returns what ask does.
func asking(t *testing.T, r *Router) <-chan error {
	t.Helper()
	owner := callid.Owner{Node: callid.Of("silent"), Epoch: 1}
	sub, err := r.conn.SubscribeSync(r.subject(owner) + batchToken)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := r.ask(request, owner, r.lineToOwner(owner), newRequest(request, nil, time.Minute))
		asked <- err
	}()
	if _, err := sub.NextMsg(time.Minute); err != nil {
		t.Fatal(err)
	}
	return asked
}

// When the connection is closed, nobody waits for an answer that cannot come any more; one that
// cannot be sent is logged.
func TestNobodyWaitsForAClosedConnection(t *testing.T) {
	t.Parallel()
	r := newRouter(t, serveNothing)
	var log bytes.Buffer
	r.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	asked := asking(t, r)
	r.conn.Close()
	if err := <-asked; !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
	r.reply(origin{r.lineOfAnswers("answers"), 1}, reply{})
	if err := r.Close(t.Context()); err != nil { // it waits until that was tried
		t.Error(err)
	}
	if !strings.Contains(log.String(), nats.ErrConnectionClosed.Error()) {
		t.Errorf("logged %q", log.String())
	}
}

// While the connection is blocked, a client stops waiting when the owner is dead.
func TestABlockedConnectionKeepsNobody(t *testing.T) {
	t.Parallel()
	r, gate := newGatedRouter(t, serveNothing)
	life, die := context.WithCancel(t.Context())
	defer die()
	r.options.Life = func(callid.Owner) context.Context { return life }
	asked := asking(t, r)
	var others sync.WaitGroup
	defer others.Wait()
	gate.shut.Lock()
	defer gate.shut.Unlock()
	others.Go(func() { _ = r.conn.Publish("x", nil) })
	<-gate.blocked
	for _, text := range []string{"a", "b"} {
		r.send(r.lineOfAnswers("x"), item{text: []byte(text)})
	}
	for range 1000 {
		runtime.Gosched() // they are about to be sent
	}
	die()
	select {
	case err := <-asked:
		if !errors.Is(err, errDead) {
			t.Errorf("got %v, want %v", err, errDead)
		}
	case <-time.After(time.Minute):
		t.Error("it waits for the connection")
	}
}

func serveNothing(http.ResponseWriter, *http.Request) {}

// Whatever comes in, nothing panics, and nothing is taken for what it is not.
func FuzzMessage(f *testing.F) {
	r := newRouter(f, serveNothing)
	request, err := http.NewRequestWithContext(f.Context(), http.MethodPost, "http://h/x?y", strings.NewReader("body"))
	if err != nil {
		f.Fatal(err)
	}
	request.Header = http.Header{"A": {"1", "2"}, "B": nil, "C": {""}}
	f.Add(newRequest(request, []byte("body"), time.Second))
	f.Add(appendNumber([]byte{isThere}, 1<<63))
	a := reply{number: 7, verdict: held, head: appendHeader(appendNumber(nil, 200), request.Header, ofConnection), body: []byte("x"), rest: "r", size: 9}
	f.Add(a.item().text)
	f.Add([]byte{aRequest, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{anAnswer, 1, 9, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		r.receive(callid.Owner{}, &nats.Msg{Subject: "x" + batchToken, Reply: r.inbox + ".1.1", Data: data})
		r.hear(&nats.Msg{Subject: r.inbox, Data: data})
		r.hear(&nats.Msg{Subject: r.inbox + "." + string(data)})
		if len(data) == 0 {
			return
		}
		if a, others, err := cutReply(data); err == nil {
			if again := a.item().text; !bytes.Equal(again, data[:len(data)-len(others)]) {
				if b, _, err := cutReply(again); err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
					t.Errorf("%v is written and read as %v, %v", a, b, err)
				}
			}
		}
		read := func(head []byte) (*http.Request, error) {
			f := readFields(head)
			readTimeout(f)
			return readRequest(t.Context(), f, nil)
		}
		if got, err := read(data); err == nil {
			text := newRequest(got, nil, time.Second)
			head, _, ok := cutText(text[1:])
			maps.DeleteFunc(got.Header, func(name string, _ []string) bool { return ofClient(name) })
			again, err := read(head)
			if !ok || err != nil || fmt.Sprint(got.Header, got.Method, got.URL, got.Host) != fmt.Sprint(again.Header, again.Method, again.URL, again.Host) {
				t.Errorf("%v is written and read as %v, %v", got, again, err)
			}
		}
	})
}
