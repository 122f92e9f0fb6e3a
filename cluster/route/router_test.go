package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"ivrqueue/cluster/callid"
	"ivrqueue/cluster/route"
	"ivrqueue/internal/leak"
)

func TestMain(m *testing.M) {
	leak.Verify(m,
		// Of the NATS server, for the whole process: they stay when it has shut down.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
	)
}

// connect starts a NATS server, and connects to it.
func connect(t *testing.T) *nats.Conn {
	t.Helper()
	return connectTo(t, &server.Options{})
}

func connectTo(t testing.TB, o *server.Options) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect("", nats.InProcessServer(route.StartServer(t, o)), nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// node is a router with what it asks.
type node struct {
	*route.Router

	owner    callid.Owner
	holds    atomic.Bool
	draining atomic.Bool
	find     atomic.Uint32
	life     context.Context
	die      context.CancelFunc
}

func newNode(t testing.TB, conn *nats.Conn, name string, next http.HandlerFunc) *node {
	t.Helper()
	n := &node{owner: callid.Owner{Node: callid.Of(name), Epoch: 7}}
	n.holds.Store(true)
	n.find.Store(uint32(route.Lives))
	n.life, n.die = context.WithCancel(t.Context())
	var err error
	n.Router, err = route.New(conn, next, route.Options{
		Subject:  "test",
		Owner:    func() (callid.Owner, bool) { return n.owner, n.holds.Load() },
		Find:     func(callid.Owner, uuid.UUID) route.Whereabouts { return route.Whereabouts(n.find.Load()) },
		Life:     func(callid.Owner) context.Context { return n.life },
		Draining: n.draining.Load,
		Timeout:  time.Minute,
		Logger:   slog.New(struct{ slog.Handler }{}), // it panics, which ends nothing
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Serve(n.owner); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	t.Cleanup(n.die)
	return n
}

func (n *node) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(n.life, method, "http://media.example"+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	n.ServeHTTP(w, r)
	return w
}

func nothing(http.ResponseWriter, *http.Request) {}

// A forwarded request comes to the owner as the client sent it, and its answer goes back as it is.
func TestARequestAndItsAnswerAreForwardedAsTheyAre(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var got *http.Request
	var body string
	a := newNode(t, conn, "a", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r, string(text)
		w.Header().Add("X-Many", "one")
		w.Header().Add("X-Many", "two")
		w.Header().Set("Location", "http://"+r.Host+"/here")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "not sent")
		_, _ = io.WriteString(w, "an answer")
		_ = http.NewResponseController(w).Flush()
	})
	b := newNode(t, conn, "b", nothing)
	id := callid.New(a.owner).String()
	for _, path := range []string{
		"/v1.0/communications/calls/" + id + "/playPrompt?x=%2F&y=a%20b", "/app/CALLS/" + strings.ToUpper(strings.ReplaceAll(id, "-", "")) + "/a%2Fb",
		"/beta/communications/Calls('" + id + "')/mute", "/communications/calls(" + id + ")",
	} {
		w := b.do(http.MethodPost, path, "hello", "Authorization", "Bearer x", "X-Odd", "é", "Connection", "close")
		if w.Code != http.StatusTeapot || w.Body.String() != "an answer" || fmt.Sprint(w.Header()["X-Many"]) != "[one two]" ||
			w.Header().Get("Location") != "http://media.example/here" || w.Header().Get("X-Late") != "" {
			t.Errorf("%s: got %d %q %v", path, w.Code, w.Body, w.Header())
		}
		if got.Method != http.MethodPost || got.Host != "media.example" || got.RequestURI != "http://media.example"+path ||
			got.URL.RequestURI() != path || body != "hello" || got.Header.Get("Authorization") != "Bearer x" ||
			got.Header.Get("X-Odd") != "é" || got.Header.Get("Connection") != "" || got.RemoteAddr != "192.0.2.1:1234" {
			t.Errorf("%s: the owner got %s %s %s %q %v from %s", path, got.Method, got.Host, got.RequestURI, body, got.Header, got.RemoteAddr)
		}
	}
	if w := b.do(http.MethodHead, "/communications/calls/"+id, ""); w.Code != http.StatusTeapot {
		t.Errorf("HEAD: got %d", w.Code)
	}
}

// What is about no call, about one of this node or about one with another kind of id is served
// here.
func TestWhatIsNobodyElsesIsServedHere(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	b := newNode(t, conn, "b", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	for _, path := range []string{
		"/", "/communications/calls", "/communications/calls/", "/communications/calls/x", "/communications/calls('x')", "/communications/calls(", "/healthz",
		"/communications/calls/" + uuid.NewString(), "/communications/calls/" + callid.New(b.owner).String() + "/mute",
	} {
		if w := b.do(http.MethodGet, path, ""); w.Code != http.StatusAccepted {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
}

// Who may not answer answers 503, also if it has lost the right while it served.
func TestNobodyAnswersWithoutTheRightTo(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var during func()
	serve := func(w http.ResponseWriter, _ *http.Request) {
		during()
		w.Header().Set("Location", "x")
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "what must not be said")
	}
	a, b := newNode(t, conn, "a", serve), newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	refused := func(what string, w *httptest.ResponseRecorder) {
		t.Helper()
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "must not") {
			t.Errorf("%s: got %d %q %v", what, w.Code, w.Body, w.Header())
		}
	}
	during = func() { a.holds.Store(false) }
	refused("lost while it served, there", a.do(http.MethodGet, path, ""))
	a.holds.Store(true)
	refused("lost while it served, for another", b.do(http.MethodGet, path, ""))
	during = func() { t.Error("it was served") }
	refused("lost before, there", a.do(http.MethodGet, path, ""))
	refused("lost before, for another", b.do(http.MethodGet, path, ""))
	a.holds.Store(true)
	a.draining.Store(true)
	refused("a new call of one that drains", a.do(http.MethodPost, "/v1.0/communications/calls", "{}"))
	served := false
	during = func() { served = true }
	if w := a.do(http.MethodGet, path, ""); w.Code != http.StatusOK || !served {
		t.Errorf("a call of one that drains: got %d", w.Code)
	}
	a.Cease(a.owner)
	began := time.Now()
	refused("one that has left", b.do(http.MethodGet, path, ""))
	if took := time.Since(began); took > 30*time.Second { // NATS says at once that nobody is there
		t.Errorf("one that has left: answered after %v", took)
	}
}

// A router that ends keeps nobody waiting: who waits for another node's answer gets 503.
func TestCloseKeepsNoClientWaiting(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	came, may := make(chan struct{}), make(chan struct{})
	a := newNode(t, conn, "a", func(http.ResponseWriter, *http.Request) { close(came); <-may })
	defer close(may)
	b := newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	code := make(chan int)
	go func() { code <- b.do(http.MethodGet, path, "").Code }()
	<-came
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := <-code; got != http.StatusServiceUnavailable {
		t.Errorf("one that waits: got %d", got)
	}
	if got := b.do(http.MethodGet, path, "").Code; got != http.StatusServiceUnavailable {
		t.Errorf("one that comes later: got %d", got)
	}
}

// Close has the answers sent to what was served, before the connection is closed.
func TestCloseSendsTheAnswers(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	came, may := make(chan struct{}), make(chan struct{})
	a := newNode(t, conn, "a", func(http.ResponseWriter, *http.Request) { close(came); <-may })
	b := newNode(t, conn, "b", nothing)
	code := make(chan int)
	go func() { code <- b.do(http.MethodGet, "/communications/calls/"+callid.New(a.owner).String(), "").Code }()
	<-came
	time.AfterFunc(50*time.Millisecond, func() { close(may) })
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := <-code; got != http.StatusOK {
		t.Errorf("got %d", got)
	}
}

// Of a call whose owner is dead: 503 until its end was told, then 404 with code 8522.
func TestACallOfADeadOwnerIsUnavailableAndThenGone(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	stuck := make(chan struct{})
	a := newNode(t, conn, "a", func(http.ResponseWriter, *http.Request) { <-stuck })
	defer close(stuck)
	b := newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	asked := make(chan int)
	go func() { asked <- b.do(http.MethodGet, path, "").Code }()
	time.AfterFunc(100*time.Millisecond, b.die) // while it waits
	if code := <-asked; code != http.StatusServiceUnavailable {
		t.Errorf("it dies meanwhile: got %d", code)
	}
	b.find.Store(uint32(route.Ending))
	if w := b.do(http.MethodGet, path, ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("ending: got %d", w.Code)
	}
	b.find.Store(uint32(route.Gone))
	if w := b.do(http.MethodGet, path, ""); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"8522"`) {
		t.Errorf("gone: got %d %s", w.Code, w.Body)
	}
}

// An answer that is longer than a message is fetched in pieces; a request that is, is refused.
func TestLongAnswersArriveWhole(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	long := strings.Repeat("0123456789", 320_000)
	a := newNode(t, conn, "a", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("n") {
		case "both":
			w.Header().Set("X-Long", long[:route.MaxHead-64])
			_, _ = io.WriteString(w, long)
		case "head":
			w.Header().Set("X-Long", long)
		case "much":
			for range 6 {
				if _, err := io.WriteString(w, long); err != nil {
					w.Header().Set("X", err.Error())
					return
				}
			}
		default:
			_, _ = io.WriteString(w, long)
		}
	})
	b := newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	if w := b.do(http.MethodGet, path, ""); w.Code != http.StatusOK || w.Body.String() != long {
		t.Errorf("got %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := b.do(http.MethodPost, path, long); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a long request: got %d", w.Code)
	}
	if w := b.do(http.MethodPost, path, "", "X-Long", long); w.Code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a request with a long header: got %d", w.Code)
	}
	if w := b.do(http.MethodPost, path, strings.Repeat("x", 900<<10), "X-Long", long[:route.MaxHead/2]); w.Code != http.StatusOK {
		t.Errorf("a request that just fits: got %d", w.Code)
	}
	if w := b.do(http.MethodGet, path+"?n=both", ""); w.Code != http.StatusOK || w.Body.String() != long {
		t.Errorf("an answer with as long a header as may be: got %d, %d bytes", w.Code, w.Body.Len())
	}
	if w := b.do(http.MethodGet, path+"?n=head", ""); w.Code != http.StatusInternalServerError || w.Header().Get("X-Long") != "" {
		t.Errorf("an answer with a long header: got %d", w.Code)
	}
}

// An answer with a header comes through a server whose messages are small.
func TestAnswersGoThroughAServerWithSmallMessages(t *testing.T) {
	t.Parallel()
	conn := connectTo(t, &server.Options{MaxPayload: 2 << 10})
	long := strings.Repeat("0123456789", 1000)
	a := newNode(t, conn, "a", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.RawQuery)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Long", long[:n])
		_, _ = io.WriteString(w, long)
	})
	b := newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	for n := 1900; n < 2000; n++ { // bytes, in the order of what there is room for
		w := b.do(http.MethodGet, path+"?"+strconv.Itoa(n), "")
		whole := w.Code == http.StatusOK && w.Body.String() == long && w.Header().Get("X-Long") == long[:n]
		if n < 1930 && !whole || !whole && w.Code != http.StatusInternalServerError {
			t.Fatalf("with a header of %d bytes: got %d, %d bytes, %v", n, w.Code, w.Body.Len(), w.Header())
		}
	}
}

// A body that is longer than a message by what its header says is none, wherever it ends.
func TestABodyThatIsTooLongIsNotCutOff(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	a := newNode(t, conn, "a", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a body of %d bytes came", r.ContentLength) })
	b := newNode(t, conn, "b", nothing)
	most := conn.MaxPayload() - route.MaxHead
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", int(most))), iotest.ErrReader(io.ErrUnexpectedEOF))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/communications/calls/"+callid.New(a.owner).String(), body)
	r.ContentLength = most + 1
	w := httptest.NewRecorder()
	if b.ServeHTTP(w, r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// A platform that panics, or exits, is an internal error; the router goes on, and has as many places
// as before.
func TestAPlatformThatPanicsIsAnInternalError(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	a := newNode(t, conn, "a", func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			runtime.Goexit()
		}
		panic(errors.New("x"))
	})
	b := newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	for i := range route.MaxServed + 2 {
		if i == 2 {
			path += "?panics"
		}
		if w := b.do(http.MethodGet, path, ""); w.Code != http.StatusInternalServerError {
			t.Fatalf("%d, %s: got %d %s", i, path, w.Code, w.Body)
		}
	}
	for range route.MaxServed {
		if w := b.do(http.MethodGet, strings.TrimSuffix(path, "?panics"), ""); w.Code != http.StatusInternalServerError {
			t.Fatalf("after all these: got %d %s", w.Code, w.Body)
		}
	}
}

// A thousand at once, and what is not a request.
func TestManyRequestsAtOnce(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	a := newNode(t, conn, "a", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Query().Get("n")) })
	b := newNode(t, conn, "b", nothing)
	path := "/communications/calls/" + callid.New(a.owner).String()
	_ = conn.Publish(fmt.Sprintf("test.node.%x.7.batch", uint16(a.owner.Node)), []byte("GARBAGE"))
	_ = conn.Publish(fmt.Sprintf("test.node.%x.7.batch", uint16(a.owner.Node)), nil)
	var wait sync.WaitGroup
	for i := range 1000 {
		wait.Go(func() {
			want := strconv.Itoa(i)
			if w := b.do(http.MethodGet, path+"?n="+want, ""); w.Code != http.StatusOK || w.Body.String() != want {
				t.Errorf("%s: got %d %q", want, w.Code, w.Body)
			}
		})
	}
	for range 20 {
		if got := fmt.Sprintf("%+v", a.Router); got != "router of test" { // and not read by reflection
			t.Error(got)
		}
	}
	wait.Wait()
	if s := a.Stats(); s.Served != 1000 {
		t.Errorf("served %d", s.Served)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := route.New(nil, http.HandlerFunc(nothing), route.Options{}); err == nil {
		t.Error("a nil connection is taken")
	}
	if _, err := route.New(connect(t), http.HandlerFunc(nothing), route.Options{}); err == nil {
		t.Error("empty options are taken")
	}
	const want = "the handler must not be nil"
	if _, err := route.New(connect(t), http.HandlerFunc(nil), route.Options{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a nil handler: %v, want %q", err, want)
	}
}
