package inspect_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/inspect"
)

// The page is whole: it fetches nothing, from here or elsewhere, and its policy allows no script
// and no style but its own.
func TestThePageIsWhole(t *testing.T) {
	t.Parallel()
	r := get(t, newHandler(t), "GET", "/debug/calls/")
	body := r.body
	equal(t, "status", r.status, 200)
	equal(t, "type", r.header.Get("Content-Type"), "text/html; charset=utf-8")
	policy := r.header.Get("Content-Security-Policy")
	for _, part := range []string{"script", "style"} {
		_, in, _ := strings.Cut(body, "<"+part+">")
		in, _, _ = strings.Cut(in, "</"+part+">")
		sum := sha256.Sum256([]byte(in))
		want := fmt.Sprintf("%s-src 'sha256-%s';", part, base64.StdEncoding.EncodeToString(sum[:]))
		if len(in) < 1000 || !strings.Contains(policy, want) {
			t.Errorf("the policy is %q, want %s", policy, want)
		}
	}
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy is %q, want %s", policy, want)
		}
	}
	for _, bad := range []string{`https?:`, `src=`, `@import`, `url\(`, `innerHTML`, `outerHTML`, `insertAdjacent`, `document\.write`, `eval\(`, `\sstyle="`, `\son[a-z]+="`} {
		if found := regexp.MustCompile(bad).FindString(body); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		equal(t, name, r.header.Get(name), want)
	}
	if len(body) > 80<<10 {
		t.Errorf("the page has %d bytes", len(body))
	}
}

// Paths, methods and queries that there are not.
func TestNothingElseIsThere(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	other := newHandler(t, inspect.WithPath("/x/"))
	from := func(site string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) }
	}
	for _, test := range []struct {
		h              http.Handler
		method, target string
		change         func(*http.Request)
		want           int
	}{
		{h, "GET", "/debug/calls/", nil, 200},
		{h, "HEAD", "/debug/calls/", nil, 200},
		{h, "HEAD", "/debug/calls/events", nil, 200},
		{h, "GET", "/debug/calls/?x=y", nil, 200},
		{h, "GET", "/debug/calls/", from("cross-site"), 200},
		{other, "GET", "/x/", nil, 200},
		{other, "GET", "/debug/calls/", nil, 404},
		{h, "POST", "/debug/calls/", nil, 405},
		{h, "DELETE", "/debug/calls/events", nil, 405},
		{h, "OPTIONS", "/debug/calls/events", nil, 405},
		{h, "GETS", "/debug/calls/", nil, 405},
		{h, "GET", "/", nil, 404},
		{h, "GET", "/debug/calls", nil, 404},
		{h, "GET", "/debug/calls//", nil, 404},
		{h, "GET", "/debug/calls/events/", nil, 404},
		{h, "GET", "/debug/calls/page.js", nil, 404},
		{h, "GET", "/debug/calls/../calls/", nil, 404},
		{h, "GET", "/debug/calls/%2e%2e/events", nil, 404},
		{h, "GET", "/debug/calls/events%00", nil, 404},
		{h, "GET", "/debug/calls/events?call=", nil, 400},
		{h, "GET", "/debug/calls/events?call=-1", nil, 400},
		{h, "GET", "/debug/calls/events?call=18446744073709551616", nil, 400},
		{h, "GET", "/debug/calls/events?call=<script>", nil, 400},
		{h, "GET", "/debug/calls/events?", nil, 200},
		{h, "GET", "/debug/calls/events?x", nil, 400},
		{h, "GET", "/debug/calls/events?call=1", nil, 404},
		{h, "GET", "/debug/calls/events", from("cross-site"), 403},
		{h, "GET", "/debug/calls/events", from("same-site"), 403},
		{h, "GET", "/debug/calls/events", from("same-origin"), 200},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // a stream ends with it
		r := get(t, test.h, test.method, test.target, func(r *http.Request) {
			*r = *r.WithContext(ctx)
			if test.change != nil {
				test.change(r)
			}
		})
		equal(t, test.method+" "+test.target, r.status, test.want)
		if test.want == 405 {
			equal(t, "Allow", r.header.Get("Allow"), "GET, HEAD")
		}
		if r.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s has no policy", test.method, test.target)
		}
		if test.want >= 400 && strings.Contains(r.body, "<") {
			t.Errorf("%s %s has markup", test.method, test.target)
		}
	}
}

// Text of others stands on one line of a stream, and is no markup.
func TestWhatOthersSayIsEscaped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		const evil = "</script><img src=x onerror=alert(1)>\r\n\nevent: calls\ndata: {}\u2028"
		p := ring(t, h, evil, inspect.Label{Name: evil, Value: evil})
		p.shown.Note(evil)
		p.enqueue(play("https://x.example/" + strings.ReplaceAll(evil, "/", "")))
		synctest.Wait()
		for _, query := range []string{"", "?call=1"} {
			c := watch(t, h, query)
			var s state
			s.know(c.events(t)) // which fails for what is no event
			if body := c.body.String(); strings.ContainsAny(body, "<>\r\u2028") {
				t.Errorf("it has markup: %q", body)
			}
			if query == "" {
				equal(t, "the id", at(s.calls[1], "id"), any(evil))
			}
			c.leave()
		}
		p.hangUp()
	})
}

// A request sees the calls of its owner, and no other exists for it.
func TestOwnersSeeTheirOwnCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, inspect.WithOwner(func(r *http.Request) (string, bool) {
			who := r.Header.Get("X-Owner")
			if who == "panic" {
				panic(who)
			}
			return who, who == "admin"
		}))
		as := func(who string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("X-Owner", who) }
		}
		var phones []*phone
		for _, owner := range []string{"a", "b", ""} {
			q := newQueue(t, h, "of "+owner)
			if _, err := h.Attach(inspect.Attachment{Queue: q, Owner: owner}); err != nil {
				t.Fatal(err)
			}
			phones = append(phones, &phone{tb: t, queue: q})
		}
		for who, want := range map[string]int{"a": 1, "b": 1, "": 1, "admin": 3, "nobody": 0} {
			equal(t, "calls of "+who, len(look(t, h, "", as(who)).calls), want)
		}
		equal(t, "another's call", get(t, h, "GET", "/debug/calls/events?call=2", as("a")).status, 404)
		equal(t, "a panic", get(t, h, "GET", "/debug/calls/events", as("panic")).status, 500)
		equal(t, "the own call", len(look(t, h, "?call=1", as("a")).call) > 0, true)

		c := watch(t, h, "", as("a"))
		var s state
		if _, err := h.Attach(inspect.Attachment{Queue: phones[0].queue, Owner: "b"}); err != nil {
			t.Fatal(err)
		}
		phones[1].enqueue(play("a.wav"))
		time.Sleep(time.Second)
		s.know(c.events(t))
		equal(t, "calls after one was given away", len(s.calls), 0)
		for _, p := range phones {
			p.queue.Close(nil)
			<-p.queue.Done()
		}
		time.Sleep(inspect.DefaultKeepFor)
		for _, e := range c.events(t) {
			t.Errorf("it gets calls of others: %v", e)
		}
	})
}

// pipes is a network in memory: a server in a bubble has the bubble's time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

func serve(t *testing.T, s *http.Server) *pipes {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(p)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return p
}

const askForEvents = "GET /debug/calls/events HTTP/1.1\r\nHost: x\r\n\r\n"

// A client that does not read is dropped in time, has what it did not get dropped before, and
// holds up neither a call nor another client. Then its place is free.
func TestAClientThatDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, inspect.WithMaxStreams(2))
		network := serve(t, &http.Server{Handler: h, ReadHeaderTimeout: time.Second})
		p := ring(t, h, "a")
		slow := network.dial()
		_, _ = io.WriteString(slow, askForEvents) // and reads nothing
		quick := watch(t, h, "")
		equal(t, "a third stream", get(t, h, "GET", "/debug/calls/events").status, 503)
		for n := range 4 {
			p.enqueue(play("a.wav"))
			time.Sleep(1500 * time.Millisecond)
			var s state
			s.know(quick.events(t))
			equal(t, "completed", at(s.calls[1], "completed"), any(float64(n+1)))
		}
		equal(t, "calls of a new one", len(look(t, h, "").calls), 1)
		_ = slow.Close()
		p.hangUp()
	})
}

// The server's timeouts for requests do not end a stream that lives.
func TestAStreamOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		network := serve(t, &http.Server{
			Handler: h, ReadTimeout: 3 * time.Second, WriteTimeout: 5 * time.Second,
		})
		conn := network.dial()
		defer conn.Close()
		_, _ = io.WriteString(conn, askForEvents)
		var mu sync.Mutex
		var body strings.Builder
		var failed error
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 4096)
			for {
				n, err := conn.Read(buf)
				mu.Lock()
				body.Write(buf[:n])
				failed = err
				mu.Unlock()
				if err != nil {
					return
				}
			}
		}()
		time.Sleep(10 * time.Minute)
		p := ring(t, h, "late")
		time.Sleep(time.Second)
		mu.Lock()
		if failed != nil || !strings.Contains(body.String(), `"late"`) {
			t.Errorf("after ten minutes: %v, and it got\n%s", failed, body.String())
		}
		if pings := strings.Count(body.String(), "\n:\n"); pings < 30 {
			t.Errorf("%d pings, want 30 or more", pings)
		}
		mu.Unlock()
		h.Close() // ends the stream, not the connection
		time.Sleep(time.Second)
		mu.Lock()
		equal(t, "the stream is whole", strings.HasSuffix(body.String(), "0\r\n\r\n"), true)
		mu.Unlock()
		_ = conn.Close()
		<-done
		p.hangUp()
	})
}

// A thousand who want streams: those that there are places for get them, the others 503.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t)
		p := ring(t, h, "a")
		clients := make([]*client, 1000)
		for i := range clients {
			clients[i] = watch(t, h, []string{"", "?call=1"}[i%2])
		}
		got := map[int]int{}
		for _, c := range clients {
			c.mu.Lock()
			got[c.status]++
			if c.status == 503 {
				equal(t, "Retry-After", c.header.Get("Retry-After"), "5")
			}
			c.mu.Unlock()
		}
		equal(t, "streams", got[200], inspect.DefaultMaxStreams)
		equal(t, "refused", got[503], 1000-inspect.DefaultMaxStreams)
		equal(t, "the page is there", get(t, h, "GET", "/debug/calls/").status, 200)
		for _, c := range clients {
			c.leave()
		}
		equal(t, "calls, when they have gone", len(look(t, h, "").calls), 1)
		p.hangUp()
	})
}

func TestAWriterThatCannotFlushEndsTheStream(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	w := &struct{ http.ResponseWriter }{&client{header: make(http.Header)}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/debug/calls/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(w, r) // returns
	if errors.Is(r.Context().Err(), context.Canceled) {
		t.Error("it has waited for the client")
	}
}

// What is given to package fmt is not read without the handler's lock.
func TestAHandlerIsPrinted(t *testing.T) {
	t.Parallel()
	h := newHandler(t)
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v", h, h)
		}
	})
	q := newQueue(t, h, "a\nb")
	c, err := h.Attach(inspect.Attachment{Queue: q})
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
	var none *inspect.Call
	if got, want := fmt.Sprint(h, c, none), `inspector, 1 live calls shown call "a\nb" no call`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	q.Close(nil)
	<-q.Done()
}
