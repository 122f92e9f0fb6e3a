package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// object is a JSON object.
type object = map[string]any

// at walks down a JSON value by member names and indexes.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, ok := v.(object)
			if !ok {
				return nil
			}
			v = o[p]
		case int:
			a, ok := v.([]any)
			if !ok || p >= len(a) {
				return nil
			}
			v = a[p]
		}
	}
	return v
}

// show writes a JSON value on one line, with its members in order.
func show(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func parse(tb testing.TB, data []byte) any {
	tb.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		tb.Fatalf("no JSON: %v: %.200q", err, data)
	}
	return v
}

var quiet = slog.New(slog.DiscardHandler)

// platform is a media platform as small as can be: its calls play on scripted media.
type platform struct {
	handler *graph.Handler
	tb      testing.TB
	first   graph.State                     // of calls that clients create
	media   func(graph.NewCall) queue.Media // of them; nil: scripted media

	mu    sync.Mutex
	calls []*phone
	asked []string                               // of calls, besides hang-ups
	does  func(c *graph.Call, what string) error // what it does when it is asked; nil: nothing
}

func (p *platform) ask(c *graph.Call, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	p.mu.Lock()
	p.asked = append(p.asked, what)
	does := p.does
	p.mu.Unlock()
	if does == nil {
		return nil
	}
	return does(c, what)
}

// askedFor returns what it was asked so far.
func (p *platform) askedFor() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func (p *platform) answer(_ context.Context, c *graph.Call, a graph.Answer) error {
	return p.ask(c, "answer %v %s", a.AcceptedModalities, a.MediaConfig)
}

func (p *platform) reject(_ context.Context, c *graph.Call, why graph.RejectReason) error {
	return p.ask(c, "reject %s", why)
}

func (p *platform) redirect(_ context.Context, c *graph.Call, to graph.Redirection) error {
	return p.ask(c, "redirect %v %s", to.Timeout, to.Targets)
}

func (p *platform) mute(_ context.Context, c *graph.Call, muted bool) error {
	return p.ask(c, "mute %v", muted)
}

func (p *platform) transfer(_ context.Context, c *graph.Call, to graph.Transfer) error {
	return p.ask(c, "transfer %s", to.Target)
}

func (p *platform) updateRecordingStatus(_ context.Context, c *graph.Call, s graph.RecordingStatus) error {
	return p.ask(c, "recording %s", s)
}

// phone is a call of the platform's.
type phone struct {
	*graph.Call

	handler *graph.Handler
	media   *queuetest.Media // nil if it has other media
	tones   *tone.Stream
}

// tokens are the platform's applications. The token "none" has no role.
var tokens = map[string]graph.Application{
	"bot":   {ID: "2891555a-92ff-42e6-80fa-6e1300c6b5c6", Name: "Calling Bot", Roles: []string{graph.RoleInitiate, graph.RoleInitiateGroup, graph.RoleJoinGroup}},
	"other": {ID: "e5d39592-99bd-4db8-bca8-30fb894ec51d", Name: "Other Bot", Roles: []string{graph.RoleInitiate}},
	"none":  {ID: "ae4a3a32-4f4e-4a83-9d83-9f7f5ed14af2", Roles: []string{"Calls.AccessMedia.All"}},
}

func authenticate(r *http.Request) (graph.Application, error) {
	token, _ := graph.BearerToken(r)
	app, ok := tokens[token]
	if !ok {
		return app, errors.New("no such token")
	}
	return app, nil
}

// newPlatform makes a platform. Its notifications are delivered by deliver; if that is nil by a
// Notifier that may use loopback and is in a hurry.
func newPlatform(
	tb testing.TB, deliver func(context.Context, webhook.Delivery) error, opts ...graph.Option,
) *platform {
	tb.Helper()
	p := &platform{tb: tb, first: graph.State{Call: graph.Established}}
	if deliver == nil {
		opts = append([]graph.Option{graph.WithNotifier(newNotifier(tb))}, opts...)
	}
	h, err := graph.New(graph.Platform{
		Authenticate: authenticate, CreateCall: p.create, HangUp: p.hangUp, Deliver: deliver,
		Answer: p.answer, Reject: p.reject, Redirect: p.redirect, Mute: p.mute, Transfer: p.transfer,
		UpdateRecordingStatus: p.updateRecordingStatus, SendsTones: true,
	}, append([]graph.Option{graph.WithLogger(quiet), graph.WithMaxRequests(0)}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	p.handler = h
	tb.Cleanup(p.stop)
	return p
}

func newNotifier(tb testing.TB, opts ...webhook.Option) *webhook.Notifier {
	tb.Helper()
	n, err := webhook.New(append([]webhook.Option{
		webhook.WithLoopback(), webhook.WithBackoff(5*time.Millisecond, 50*time.Millisecond), webhook.WithAttemptTimeout(time.Minute),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// stop ends every call, and gives up what was not delivered by then: its address may be gone.
func (p *platform) stop() {
	p.mu.Lock()
	calls := p.calls
	p.mu.Unlock()
	for _, c := range calls {
		_ = c.Detach(graph.ResultInfo{})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.handler.Shutdown(ctx)
	for _, c := range calls {
		<-c.Queue().Done()
	}
}

// attach puts a call of the application with this token on the wire.
func (p *platform) attach(token, callback string, opts ...queue.Option) *phone {
	p.tb.Helper()
	c, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{
		Application: tokens[token].ID, CallbackURI: callback, State: graph.State{Call: graph.Established},
	}, opts...)
	if err != nil {
		p.tb.Fatal(err)
	}
	return c
}

var callNumber = struct {
	sync.Mutex

	n int
}{}

// add makes a call, and puts it on the wire with a function that does.
func (p *platform) add(
	attach func(graph.Attachment) (*graph.Call, error), m queue.Media, a graph.Attachment, opts ...queue.Option,
) (*phone, error) {
	callNumber.Lock()
	callNumber.n++
	id := fmt.Sprintf("leg-%d", callNumber.n)
	callNumber.Unlock()
	opts = append([]queue.Option{queue.WithObserver(p.handler), queue.WithLogger(quiet)}, opts...)
	q, err := queue.New(id, m, opts...)
	if err != nil {
		return nil, err
	}
	c := &phone{handler: p.handler, tones: new(tone.Stream)}
	c.media, _ = m.(*queuetest.Media)
	a.Queue, a.Tones = q, c.tones
	if c.Call, err = attach(a); err != nil {
		q.Close(nil)
		return nil, err
	}
	p.mu.Lock()
	p.calls = append(p.calls, c)
	p.mu.Unlock()
	return c, nil
}

func (p *platform) create(_ context.Context, n graph.NewCall) (*graph.Call, error) {
	var m queue.Media = new(queuetest.Media)
	if p.media != nil {
		m = p.media(n)
	}
	c, err := p.add(n.Attach, m, graph.Attachment{
		Application: n.Application.ID, CallbackURI: n.CallbackURI, Resource: n.Resource, State: p.first,
	})
	if err != nil {
		return nil, err
	}
	return c.Call, nil
}

func (p *platform) hangUp(_ context.Context, c *graph.Call) error {
	return c.Detach(graph.ResultInfo{})
}

// last returns the call that was added last.
func (p *platform) last() *phone {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[len(p.calls)-1]
}

// reply is what a client got.
type reply struct {
	status int
	header http.Header
	body   any
}

// client is a bot author's HTTP client.
type client struct {
	tb    testing.TB
	base  string // up to /communications
	token string
	do    func(*http.Request) (*http.Response, error)
}

// direct returns the bot's client, which needs no socket.
func (p *platform) direct() *client {
	return &client{
		tb: p.tb, base: "http://media.example/v1.0", token: "bot",
		do: func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			r.RequestURI = r.URL.RequestURI()
			p.handler.ServeHTTP(w, r)
			return w.Result(), nil
		},
	}
}

// request sends a request; body may be nil, a string, bytes, or something to encode.
func (c *client) request(method, path string, body any, header ...string) reply {
	c.tb.Helper()
	rep, err := c.try(method, path, body, header...)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return rep
}

func (c *client) try(method, path string, body any, header ...string) (reply, error) {
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	case []byte:
		in = bytes.NewReader(b)
	default:
		in = strings.NewReader(show(b))
	}
	r, err := http.NewRequestWithContext(context.Background(), method, c.base+path, in)
	if err != nil {
		return reply{}, err
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w, err := c.do(r)
	if err != nil {
		return reply{}, err
	}
	defer w.Body.Close()
	data, err := io.ReadAll(w.Body)
	if err != nil {
		return reply{}, err
	}
	rep := reply{status: w.StatusCode, header: w.Header}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &rep.body); err != nil {
			return rep, fmt.Errorf("no JSON: %w: %.200q", err, data)
		}
		hold(rep.body)
	}
	return rep, nil
}

// post sends an action to a call.
func (c *client) post(call *phone, action string, body any) reply {
	c.tb.Helper()
	return c.request(http.MethodPost, "/communications/calls/"+call.ID().String()+"/"+action, body)
}

// must fails the test if the status is another.
func (r reply) must(tb testing.TB, status int) reply {
	tb.Helper()
	if r.status != status {
		tb.Fatalf("got status %d, want %d: %s", r.status, status, show(r.body))
	}
	return r
}

func (r reply) text(path ...any) string {
	s, _ := at(r.body, path...).(string)
	return s
}

const (
	playBody   = `{"clientContext":"p","prompts":[{"@odata.type":"#microsoft.graph.mediaPrompt","mediaInfo":{"uri":"https://cdn.contoso.com/a.wav"}}]}`
	recordBody = `{"clientContext":"r"}`
)

// inbox takes notifications: as an HTTP server, or as Platform.Deliver.
type inbox struct {
	mu      sync.Mutex
	got     []object      // one for each notification, in order of arrival
	bodies  [][]byte      // of the requests, those refused included
	changed chan struct{} // closed, and made anew, with each arrival
	refuse  func(n int) error
}

// Deliver is for graph.Platform.
func (b *inbox) Deliver(_ context.Context, d webhook.Delivery) error { return b.take(d.Body) }

func (b *inbox) take(body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bodies = append(b.bodies, bytes.Clone(body))
	if b.refuse != nil {
		if err := b.refuse(len(b.bodies)); err != nil {
			return err
		}
	}
	var all struct{ Value []object }
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	var whole object
	if json.Unmarshal(body, &whole) == nil {
		hold(whole)
	}
	b.got = append(b.got, all.Value...)
	if b.changed != nil {
		close(b.changed)
	}
	b.changed = make(chan struct{})
	return nil
}

// all returns the notifications so far.
func (b *inbox) all() []object {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// last returns the body of the request that came last.
func (b *inbox) last() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bodies[len(b.bodies)-1]
}

// sent returns the bodies so far.
func (b *inbox) sent() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.bodies)
}

// forget forgets them.
func (b *inbox) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = nil
}

// wait returns the notifications, when there are n.
func (b *inbox) wait(tb testing.TB, n int) []object {
	tb.Helper()
	return b.waitFor(tb, strconv.Itoa(n), func(all []object) bool { return len(all) >= n })
}

// waitFor returns the notifications, when they are what is waited for.
func (b *inbox) waitFor(tb testing.TB, what string, enough func([]object) bool) []object {
	tb.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		b.mu.Lock()
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		got, changed := slices.Clone(b.got), b.changed
		b.mu.Unlock()
		if enough(got) {
			return got
		}
		select {
		case <-changed:
		case <-deadline.C:
			tb.Fatalf("got %d notifications, want %s: %s", len(got), what, show(got))
		}
	}
}

// ServeHTTP makes the inbox a bot's callback.
func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = b.take(body)
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// serve gives the inbox an address.
func (b *inbox) serve(tb testing.TB) string {
	tb.Helper()
	s := httptest.NewServer(b)
	tb.Cleanup(s.Close)
	return s.URL + "/callback"
}

// ends returns how often the end of each operation was delivered, by id.
func ends(all []object) map[string]int {
	n := map[string]int{}
	for _, v := range all {
		if id, ok := at(v, "resourceData", "id").(string); ok && at(v, "resourceData", "status") != nil {
			n[id]++
		}
	}
	return n
}

// members returns the names of an object's members.
func members(v any) map[string]bool {
	o, _ := v.(object)
	names := map[string]bool{}
	for k := range maps.Keys(o) {
		names[k] = true
	}
	return names
}

// waitStarted returns the first task that was started on the call.
func (c *phone) waitStarted(tb testing.TB) queue.Task {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	t, err := c.media.WaitStarted(ctx, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func succeeded() operation.Result { return operation.Result{Reason: operation.Succeeded} }

// noise is a text that gzip can't make small.
func noise(n int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, n)
	for i := range text {
		text[i] = digits[random.IntN(len(digits))]
	}
	return string(text)
}
