package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/inspect"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

type object = map[string]any

func newHandler(tb testing.TB, opts ...inspect.Option) *inspect.Handler {
	tb.Helper()
	h, err := inspect.New(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(h.Close)
	return h
}

// silence is how long media takes to fall silent.
const silence = 80 * time.Millisecond

// player is media whose plays take a second for each prompt, and records as long as they may.
func player(ctx context.Context, op queue.Active) (operation.Result, error) {
	length := time.Second
	r := operation.Result{}
	prompts := 1
	switch request := op.Request().(type) {
	case *operation.PlayPrompt:
		prompts = len(request.Prompts)
	case *operation.RecordResponse:
		length = request.MaxDuration
		r = operation.Result{Reason: operation.MaxDuration, Recording: operation.Recording{Duration: length}}
	}
	began := time.Now()
	for i := range prompts {
		for offset := time.Duration(0); offset < length; offset += 20 * time.Millisecond {
			op.ProgressAt(i, offset, time.Since(began))
			select {
			case <-ctx.Done():
				time.Sleep(silence)
				return operation.Result{Position: time.Since(began)}, nil
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	r.Position = time.Since(began)
	return r, nil
}

// phone is a call.
type phone struct {
	tb    testing.TB
	queue *queue.Queue
	tones *tone.Stream
	shown *inspect.Call
}

func newQueue(tb testing.TB, h *inspect.Handler, id string) *queue.Queue {
	tb.Helper()
	q, err := queue.New(id, queue.Blocking(player), queue.WithObserver(h))
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

// ring makes a call that is attached.
func ring(tb testing.TB, h *inspect.Handler, id string, labels ...inspect.Label) *phone {
	tb.Helper()
	p := &phone{tb: tb, queue: newQueue(tb, h, id), tones: new(tone.Stream)}
	var err error
	p.shown, err = h.Attach(inspect.Attachment{Queue: p.queue, Tones: p.tones, Labels: labels})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func play(prompts ...string) *operation.PlayPrompt {
	r := new(operation.PlayPrompt)
	for _, p := range prompts {
		r.Prompts = append(r.Prompts, operation.Prompt{URI: p})
	}
	return r
}

func (p *phone) enqueue(r operation.Request, opts ...queue.EnqueueOption) *operation.Operation {
	p.tb.Helper()
	op, err := p.queue.Enqueue(context.Background(), r, opts...)
	if err != nil {
		p.tb.Fatal(err)
	}
	return op
}

func (p *phone) hangUp() {
	p.queue.Close(nil)
	p.tones.End()
	<-p.queue.Done()
}

// client is an http.ResponseWriter that reads, for streams in a bubble.
type client struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	status int
	header http.Header
	body   bytes.Buffer
	read   int // of the body
}

func (c *client) Header() http.Header { return c.header }

func (c *client) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.body.Write(p)
}

func (c *client) Flush() {}

// watch opens a stream, which ends with the test.
func watch(tb testing.TB, h http.Handler, query string, change ...func(*http.Request)) *client {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{cancel: cancel, done: make(chan struct{}), header: make(http.Header)}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/debug/calls/events"+query, nil)
	for _, f := range change {
		f(r)
	}
	go func() {
		defer close(c.done)
		h.ServeHTTP(c, r)
	}()
	tb.Cleanup(c.leave)
	synctest.Wait()
	return c
}

func (c *client) leave() {
	c.cancel()
	<-c.done
}

// events returns what came since it was last asked, in a bubble.
func (c *client) events(tb testing.TB) (events []event) {
	tb.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.body.String()[c.read:]
	c.read = c.body.Len()
	for text := range strings.SplitSeq(text, "\n\n") {
		if text == "" || text == ":" {
			continue
		}
		name, data, ok := strings.Cut(text, "\ndata: ")
		e := event{name: strings.TrimPrefix(name, "event: ")}
		if !ok || strings.Contains(data, "\n") || json.Unmarshal([]byte(data), &e.data) != nil {
			tb.Fatalf("no event: %q", text)
		}
		events = append(events, e)
	}
	return events
}

type event struct {
	name string
	data object
}

// at walks down a JSON value by member names and indices.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			a, _ := v.([]any)
			if step < 0 {
				step += len(a)
			}
			if step < 0 || step >= len(a) {
				return nil
			}
			v = a[step]
		}
	}
	return v
}

// state is what a page knows after a stream's events.
type state struct {
	calls      map[float64]object
	call       object // its summary
	operations map[float64]object
	marks      map[float64]object
	deliveries map[float64]object
	last       object
	gone       bool
}

// know brings a state up to date.
func (s *state) know(events []event) {
	for _, e := range events {
		if s.calls == nil || e.data["all"] == true {
			s.calls = map[float64]object{}
		}
		if s.operations == nil {
			s.operations, s.marks, s.deliveries = map[float64]object{}, map[float64]object{}, map[float64]object{}
		}
		s.gone = s.gone || e.name == "gone"
		s.last = e.data
		list := func(name string) []any {
			l, _ := e.data[name].([]any)
			return l
		}
		for _, n := range list("gone") {
			delete(s.calls, n.(float64))
		}
		for name, to := range map[string]map[float64]object{
			"calls": s.calls, "operations": s.operations, "marks": s.marks, "deliveries": s.deliveries,
		} {
			for _, item := range list(name) {
				to[at(item, "n").(float64)] = item.(object)
			}
		}
		if c, ok := e.data["call"].(object); ok {
			s.call = c
			kept := map[float64]bool{}
			for _, n := range list("kept") {
				kept[n.(float64)] = true
			}
			for n := range s.operations {
				if !kept[n] {
					delete(s.operations, n)
				}
			}
			for n := range s.marks {
				if n < e.data["firstMark"].(float64) {
					delete(s.marks, n)
				}
			}
		}
	}
}

// look opens a stream, takes its first events, and closes it.
func look(tb testing.TB, h http.Handler, query string, change ...func(*http.Request)) *state {
	tb.Helper()
	c := watch(tb, h, query, change...)
	s := new(state)
	s.know(c.events(tb))
	c.leave()
	return s
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

func get(tb testing.TB, h http.Handler, method, target string, change ...func(*http.Request)) reply {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Second) // a stream has no end
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, target, nil)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

func equal[T comparable](tb testing.TB, what string, got, want T) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// withTimeout has a request end when ctx does, or after a time.
func withTimeout(ctx context.Context, d time.Duration) func(*http.Request) {
	return func(r *http.Request) {
		ctx, cancel := context.WithTimeout(ctx, d)
		context.AfterFunc(ctx, cancel)
		*r = *r.WithContext(ctx)
	}
}
