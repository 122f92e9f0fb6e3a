package graph_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

type admit = func(context.Context, graph.MediaRequest) (graph.Admission, error)

// admitting makes a platform with a hook, a kind of its own and a call.
func admitting(t *testing.T, hook admit, opts ...graph.Option) (*client, *phone, *inbox) {
	t.Helper()
	box := new(inbox)
	p := &platform{tb: t}
	h, err := graph.New(graph.Platform{
		Authenticate: authenticate, Deliver: box.Deliver, Mute: p.mute, SendsTones: true, Admit: hook,
	}, append([]graph.Option{graph.WithLogger(quiet), graph.WithKind(speaking())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	p.handler = h
	t.Cleanup(p.stop)
	return p.served(), p.attach("bot", ""), box
}

// A caller hangs up, and the upload of what was recorded takes 8 s: the bot gets it with the end of
// the record if the platform has given that a stop timeout which is long enough.
func TestARecordingThatIsUploadedForLongReachesTheBot(t *testing.T) {
	t.Parallel()
	part := operation.Recording{Location: "https://media.example/r/1", AccessToken: "t"}
	for timeout, want := range map[time.Duration]operation.Recording{20 * time.Second: part, queue.DefaultStopTimeout: {}} {
		synctest.Test(t, func(t *testing.T) {
			box := new(inbox)
			p := &platform{tb: t}
			h, err := graph.New(graph.Platform{
				Authenticate: authenticate, Deliver: box.Deliver,
				Admit: func(context.Context, graph.MediaRequest) (graph.Admission, error) {
					return graph.Admission{Options: []queue.EnqueueOption{queue.StopTimeout(timeout)}}, nil
				},
			}, graph.WithLogger(quiet))
			if err != nil {
				t.Fatal(err)
			}
			p.handler = h
			t.Cleanup(p.stop)
			call, err := p.add(h.Attach, &queuetest.Media{OnStop: func(t queue.Task) {
				time.AfterFunc(8*time.Second, func() { t.End(operation.Result{Recording: part}) })
			}}, graph.Attachment{Application: tokens["bot"].ID, State: graph.State{Call: graph.Established}})
			if err != nil {
				t.Fatal(err)
			}
			p.direct().post(call, "recordResponse", `{"clientContext":"one"}`).must(t, 200)
			synctest.Wait()
			_ = call.Detach(graph.ResultInfo{})
			time.Sleep(10 * time.Second)
			synctest.Wait()
			equal(t, "notifications", lines(box.all()), []string{
				"updated call established", "deleted recordOperation failed one 400/8528", "deleted call terminated 200/5001",
			})
			record := at(box.all()[1], "resourceData")
			equal(t, timeout.String(), []any{at(record, "recordingLocation"), at(record, "recordingAccessToken")}, []any{want.Location, want.AccessToken})
		})
	}
}

// The hook sees what is enqueued, and each cancel, with who asks for it and how; what lies beside
// the queue it does not see.
func TestTheHookSeesWhatIsEnqueued(t *testing.T) {
	t.Parallel()
	var seen []graph.MediaRequest
	bot, call, _ := admitting(t, func(_ context.Context, r graph.MediaRequest) (graph.Admission, error) {
		seen = append(seen, r)
		return graph.Admission{}, nil
	})
	for _, a := range []struct {
		action, body string
		kind         operation.Kind
	}{
		{"playPrompt", playBody, operation.KindPlayPrompt},
		{"recordResponse", `{"bargeInAllowed":true,"clientContext":"p"}`, operation.KindRecordResponse},
		{"sendDtmfTones", `{"tones":["tone1"],"clientContext":"p"}`, operation.KindSendTones},
		{"speakText", `{"text":"a","clientContext":"p"}`, "speak"},
		{"cancelMediaProcessing", `{"clientContext":"p"}`, operation.KindCancelMediaProcessing},
		{"subscribeToTone", `{"clientContext":"p"}`, ""},
		{"mute", `{"clientContext":"p"}`, ""},
		{"playPrompt", `{"clientContext":"p"}`, ""},                      // not well formed: seen, and refused by the queue
		{"playPrompt", `{"clientContext":7}`, ""},                        // not decoded
		{"speakText", `{"clientContext":"` + noise(257) + `"}`, "never"}, // a client context that is too long
	} {
		seen = nil
		path := "/communications/calls/" + call.ID().String() + "/" + a.action
		r := bot.request(http.MethodPost, path, a.body, "Client-Request-Id", "c-1", "Traceparent", "00-1")
		switch {
		case a.kind == "" || a.kind == "never":
			if len(seen) > 0 && r.status == 200 {
				t.Errorf("%s: saw %+v", a.action, seen)
			}
			continue
		case len(seen) != 1:
			t.Errorf("%s: saw %d requests, %d: %s", a.action, len(seen), r.status, show(r.body))
			continue
		}
		s := seen[0]
		if s.Kind != a.kind || s.Call != call.Call || s.Application.ID != tokens["bot"].ID || s.ClientContext != "p" ||
			s.ClientRequestID != "c-1" || s.RequestID != r.header.Get("Request-Id") || s.Header.Get("Traceparent") != "00-1" ||
			(s.Request == nil) != (a.kind == operation.KindCancelMediaProcessing) || s.Request != nil && s.Request.Kind() != a.kind {
			t.Errorf("%s: saw %+v", a.action, s)
		}
	}
}

// An error of the hook's is the client's answer, and nothing has happened; so is what it does wrong.
func TestTheHookMayRefuse(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	var hook admit
	asked := 0
	bot, call, _ := admitting(t, func(ctx context.Context, r graph.MediaRequest) (graph.Admission, error) {
		asked++
		return hook(ctx, r)
	}, graph.WithMaxBytes(2048, 0))
	refusing := func(err error) admit {
		return func(context.Context, graph.MediaRequest) (graph.Admission, error) { return graph.Admission{}, err }
	}
	granting := func(a graph.Admission) admit {
		return func(context.Context, graph.MediaRequest) (graph.Admission, error) { return a, nil }
	}
	own := func(change func(*graph.Error)) admit {
		e := &graph.Error{Status: 429, Code: "quotaLimitReached", Message: "A hundred prompts a day.", RetryAfter: 1500 * time.Millisecond}
		change(e)
		return refusing(fmt.Errorf("%s: %w", secret, e))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name   string
		hook   admit
		status int
		code   string
		retry  string
	}{
		{"an error of its own", own(func(*graph.Error) {}), 429, "quotaLimitReached", "2"},
		{"the longest", own(func(e *graph.Error) { e.Code, e.Message, e.RetryAfter = noise(64), noise(1024), 24*time.Hour }), 429, noise(64), "86400"},
		{"without a time", own(func(e *graph.Error) { e.Status, e.RetryAfter = 403, 0 }), 403, "quotaLimitReached", ""},
		{"the last status", own(func(e *graph.Error) { e.Status = 599 }), 599, "quotaLimitReached", "2"},
		{"a success", own(func(e *graph.Error) { e.Status = 200 }), 500, "9999", ""},
		{"just below", own(func(e *graph.Error) { e.Status = 399 }), 500, "9999", ""},
		{"just above", own(func(e *graph.Error) { e.Status = 600 }), 500, "9999", ""},
		{"no code", own(func(e *graph.Error) { e.Code = "" }), 500, "9999", ""},
		{"a code that is none", own(func(e *graph.Error) { e.Code = "a b" }), 500, "9999", ""},
		{"a long code", own(func(e *graph.Error) { e.Code = noise(65) }), 500, "9999", ""},
		{"no message", own(func(e *graph.Error) { e.Message = "" }), 500, "9999", ""},
		{"a long message", own(func(e *graph.Error) { e.Message = noise(1025) }), 500, "9999", ""},
		{"no text", own(func(e *graph.Error) { e.Message = "\xff" }), 500, "9999", ""},
		{"a time that is over", own(func(e *graph.Error) { e.RetryAfter = -1 }), 500, "9999", ""},
		{"a time that never comes", own(func(e *graph.Error) { e.RetryAfter = 24*time.Hour + 1 }), 500, "9999", ""},
		{"nil of a type", refusing((*graph.Error)(nil)), 500, "9999", ""},
		{"another error", refusing(errors.New(secret)), 500, "9999", ""},
		{"unavailable", refusing(graph.ErrUnavailable), 503, "serviceNotAvailable", "5"},
		{"a field", refusing(&operation.FieldError{Field: "prompts[0].uri", Value: "ours", Limit: "yours"}), 400, "8523", ""},
		{"a panic", func(context.Context, graph.MediaRequest) (graph.Admission, error) { panic(secret) }, 500, "9999", ""},
		{"an exit", func(context.Context, graph.MediaRequest) (graph.Admission, error) {
			runtime.Goexit()
			return graph.Admission{}, nil
		}, 500, "9999", ""},
		{"a dead context", granting(graph.Admission{Context: ended}), 500, "9999", ""},
	} {
		hook, asked = test.hook, 0
		for _, action := range []string{"playPrompt", "cancelMediaProcessing"} {
			if action == "cancelMediaProcessing" && test.name == "a dead context" {
				continue // never refused for it
			}
			r := bot.post(call, action, playBody)
			envelope(t, r)
			if r.status != test.status || r.text("error", "code") != test.code || r.header.Get("Retry-After") != test.retry || strings.Contains(show(r.body), secret) {
				t.Errorf("%s, %s: got %d, %q: %s", test.name, action, r.status, r.header.Get("Retry-After"), show(r.body))
			}
		}
	}
	for name, a := range map[string]graph.Admission{
		"a request that can't be": {Request: (*speak)(nil)}, "one that is not valid": {Request: new(operation.PlayPrompt)},
		"an option of a cancel": {Options: []queue.EnqueueOption{queue.SpareProtected()}},
	} {
		hook = granting(a)
		if r := bot.post(call, "playPrompt", playBody); r.status < 400 {
			t.Errorf("%s: got %d", name, r.status)
		}
	}
	hook = granting(graph.Admission{Request: new(speak)})
	bot.post(call, "cancelMediaProcessing", `{}`).must(t, 500)
	if now := call.Queue().Snapshot(); now.Running != nil || len(now.Waiting) > 0 || len(at(bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations", nil).body, "value").([]any)) > 0 {
		t.Errorf("something has happened: %+v", now)
	}
	// And nothing was kept: there is room for one.
	hook = refusing(nil)
	bot.post(call, "playPrompt", playBody).must(t, 200)
}

// wrapped is a request around another one.
type wrapped struct {
	operation.Request

	kind     operation.Kind
	bargesIn bool
}

func (w *wrapped) BargesIn() bool { return w.bargesIn }

func (w *wrapped) Kind() operation.Kind {
	if w.kind != "" {
		return w.kind
	}
	return w.Request.Kind()
}

type traceKey struct{}

// The hook may have something else enqueued, with options and a context; what is the handler's own
// stays so.
func TestTheHookMayWrap(t *testing.T) {
	t.Parallel()
	given := graph.Admission{}
	bot, call, box := admitting(t, func(ctx context.Context, r graph.MediaRequest) (graph.Admission, error) {
		a := given
		if r.Request != nil {
			a.Request = &wrapped{Request: r.Request}
			a.Context = context.WithValue(ctx, traceKey{}, r.RequestID)
		}
		a.Options = []queue.EnqueueOption{queue.ClientContext("ours"), queue.Value("ours"), queue.ID(uuid.Max)}
		return a, nil
	})
	r := bot.post(call, "playPrompt", playBody).must(t, 200)
	if r.text("@odata.type") != "#microsoft.graph.playPromptOperation" || r.text("clientContext") != "p" || r.text("id") == uuid.Max.String() {
		t.Errorf("got %s", show(r.body))
	}
	task := call.waitStarted(t)
	w, ok := task.Request().(*wrapped)
	if !ok || task.Context().Value(traceKey{}) != r.header.Get("Request-Id") {
		t.Errorf("got %T, %v", task.Request(), task.Context())
	} else if p, ok := w.Request.(*operation.PlayPrompt); !ok || len(p.Prompts) != 1 {
		t.Errorf("it holds %T", w.Request)
	}
	cancelled := bot.post(call, "cancelMediaProcessing", `{"clientContext":"c"}`).must(t, 200)
	if cancelled.text("clientContext") != "c" || cancelled.text("id") == uuid.Max.String() {
		t.Errorf("got %s", show(cancelled.body))
	}
	if ends := ends(box.wait(t, 2)); ends[r.text("id")] != 1 {
		t.Errorf("notifications: %v", ends)
	}
	// They are in the list, once each.
	list := at(bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations", nil).body, "value").([]any)
	if len(list) != 2 {
		t.Errorf("listed: %s", show(list))
	}
}

// A wrapper decides on its own kind and whether it barges in; one of another kind is shown as that.
func TestAWrapperIsAskedForItself(t *testing.T) {
	t.Parallel()
	bot, call, box := admitting(t, func(_ context.Context, r graph.MediaRequest) (graph.Admission, error) {
		return graph.Admission{Request: &wrapped{r.Request, "speak", r.ClientContext == "in"}}, nil
	})
	first := bot.post(call, "playPrompt", playBody).must(t, 200)
	second := bot.post(call, "playPrompt", strings.Replace(playBody, `"p"`, `"in"`, 1)).must(t, 200)
	if second.text("@odata.type") != "#contoso.media.speakOperation" {
		t.Errorf("got %s", show(second.body))
	}
	if end := box.wait(t, 2)[1]; at(end, "resourceData", "id") != first.body.(object)["id"] || at(end, "resourceData", "resultInfo", "subcode") != 8508.0 {
		t.Errorf("notifications: %s", show(end))
	}
}

// What the platform protects outlives what barges in, and with the option a bot's cancel; without
// it a cancel ends everything.
func TestACancelMaySpareWhatIsProtected(t *testing.T) {
	t.Parallel()
	protect := func(_ context.Context, r graph.MediaRequest) (graph.Admission, error) {
		if r.ClientContext == "legal" || r.Kind == operation.KindCancelMediaProcessing {
			return graph.Admission{Options: []queue.EnqueueOption{queue.Protected()}}, nil
		}
		return graph.Admission{}, nil
	}
	for name, test := range map[string]struct {
		hook   admit
		opts   []graph.Option
		spared int
	}{
		"the option":  {protect, []graph.Option{graph.WithSpareProtected()}, 2},
		"no option":   {protect, nil, 0},
		"the request": {sparing(protect), nil, 2},
	} {
		bot, call, box := admitting(t, test.hook, test.opts...)
		bot.post(call, "playPrompt", playBody).must(t, 200)
		bot.post(call, "playPrompt", strings.Replace(playBody, `"p"`, `"legal"`, 1)).must(t, 200)
		if _, err := call.Queue().Enqueue(t.Context(), &speak{Text: "x"}, queue.Protected()); err != nil {
			t.Fatal(err)
		}
		bot.post(call, "recordResponse", `{"bargeInAllowed":true}`).must(t, 200)
		box.wait(t, 2) // the first, for the barge-in
		if n := call.live(); n != 3 {
			t.Errorf("%s: %d live after a barge-in", name, n)
		}
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		if n := call.live(); n != test.spared {
			t.Errorf("%s: %d were spared, want %d", name, n, test.spared)
		}
		box.wait(t, 5-test.spared)
	}
}

// live counts the operations that have not ended.
func (c *phone) live() int {
	now := c.Queue().Snapshot()
	if now.Running != nil {
		return 1 + len(now.Waiting)
	}
	return len(now.Waiting)
}

func sparing(hook admit) admit {
	return func(ctx context.Context, r graph.MediaRequest) (graph.Admission, error) {
		a, err := hook(ctx, r)
		if r.Request == nil {
			a.Options = append(a.Options, queue.SpareProtected())
		}
		return a, err
	}
}

// The platform gets the answer to each admission once, when the client has its answer, whatever came of it.
func TestAnAdmissionIsAnswered(t *testing.T) {
	t.Parallel()
	type answer struct {
		op  *operation.Operation
		err error
	}
	var mu sync.Mutex
	var answers []answer
	fault := func() {}
	bot, call, _ := admitting(t, func(_ context.Context, r graph.MediaRequest) (graph.Admission, error) {
		if r.ClientContext == "refused" {
			return graph.Admission{Answered: func(*operation.Operation, error) { t.Error("Answered of what was refused") }}, graph.ErrUnavailable
		}
		return graph.Admission{Answered: func(op *operation.Operation, err error) {
			mu.Lock()
			answers = append(answers, answer{op, err})
			mu.Unlock()
			fault()
		}}, nil
	}, graph.WithMaxBytes(8<<10, 0))
	kept := `{"text":"` + strings.Repeat("x", 4<<10) + `"}`
	for _, test := range []struct {
		action, body string
		status       int
		is           error
	}{
		{"playPrompt", playBody, 200, nil},
		{"cancelMediaProcessing", `{}`, 200, nil},
		{"playPrompt", `{"clientContext":"p"}`, 400, nil},
		{"playPrompt", strings.Replace(playBody, `"p"`, `"refused"`, 1), 503, nil},
		{"speakText", kept, 200, nil},
		{"speakText", kept, 429, nil},
	} {
		answers = nil
		r := bot.post(call, test.action, test.body).must(t, test.status)
		switch {
		case test.status == 503:
			if len(answers) != 0 {
				t.Errorf("%s: answered %v", test.action, answers)
			}
		case len(answers) != 1 || (answers[0].err == nil) != (test.status == 200) || (answers[0].op == nil) == (test.status == 200):
			t.Errorf("%s: answered %v", test.action, answers)
		case test.status == 200 && answers[0].op.ID().String() != r.text("id"):
			t.Errorf("%s: answered with %v, not %s", test.action, answers[0].op.ID(), r.text("id"))
		}
	}
	for _, fault = range []func(){func() { panic("x") }, runtime.Goexit} {
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
	}
}

// A hook that panics with net/http's own value after it has admitted ends the connection, as it does
// everywhere; the platform gets the error.
func TestANetHTTPAbortGoesOnPastTheAnswer(t *testing.T) {
	t.Parallel()
	var told error
	p := &platform{tb: t}
	h, err := graph.New(graph.Platform{
		Authenticate: authenticate, Deliver: new(inbox).Deliver,
		Admit: func(context.Context, graph.MediaRequest) (graph.Admission, error) {
			return graph.Admission{
				Request:  &aborting{},
				Answered: func(_ *operation.Operation, err error) { told = err },
			}, nil
		},
	}, graph.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	p.handler = h
	defer p.stop()
	call := p.attach("bot", "")
	w := &abortingWriter{ResponseWriter: httptest.NewRecorder()}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://media.example/communications/calls/"+call.ID().String()+"/playPrompt", strings.NewReader(playBody))
	r.Header.Set("Authorization", "Bearer bot")
	r.Header.Set("Content-Type", "application/json")
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			t.Errorf("got %v", v)
		}
		if told == nil {
			t.Error("the platform did not get it")
		}
	}()
	h.ServeHTTP(w, r)
}

// aborting is a request that is not valid.
type aborting struct{}

func (*aborting) Kind() operation.Kind { return "abort" }
func (*aborting) Validate() error      { return errors.New("no") }

// abortingWriter is a client whose connection the server breaks off.
type abortingWriter struct{ http.ResponseWriter }

func (*abortingWriter) WriteHeader(int) { panic(http.ErrAbortHandler) }

// A hook that does not return holds up its own request and the notifications of its call, nothing
// else; when the client is gone nothing is enqueued, and of a call that was detached neither.
func TestAHookThatBlocksHoldsUpItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		box := new(inbox)
		p := &platform{tb: t}
		h, err := graph.New(graph.Platform{
			Authenticate: authenticate, Deliver: box.Deliver,
			Admit: func(ctx context.Context, r graph.MediaRequest) (graph.Admission, error) {
				if r.ClientContext == "p" {
					<-open
				}
				return graph.Admission{Context: context.WithoutCancel(ctx)}, nil
			},
		}, graph.WithLogger(quiet))
		if err != nil {
			t.Fatal(err)
		}
		p.handler = h
		defer p.stop()
		bot, call, other := p.direct(), p.attach("bot", ""), p.attach("bot", "")
		ctx, leave := context.WithCancel(t.Context())
		answers := make(chan string, 3)
		for _, c := range []struct {
			ctx    context.Context
			call   *phone
			action string
		}{{ctx, call, "playPrompt"}, {ctx, call, "cancelMediaProcessing"}, {t.Context(), other, "playPrompt"}} {
			go func() {
				w := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(c.ctx, http.MethodPost, "http://media.example/communications/calls/"+c.call.ID().String()+"/"+c.action, strings.NewReader(playBody))
				r.Header.Set("Authorization", "Bearer bot")
				r.Header.Set("Content-Type", "application/json")
				h.ServeHTTP(w, r)
				answers <- c.action + " " + strconv.Itoa(w.Code)
			}()
		}
		synctest.Wait()
		bot.post(call, "recordResponse", recordBody).must(t, 200)
		bot.request("GET", "/communications/calls/"+call.ID().String(), nil).must(t, 200)
		leave()
		if err := other.Detach(graph.ResultInfo{}); err != nil {
			t.Fatal(err)
		}
		close(open)
		synctest.Wait()
		got := []string{<-answers, <-answers, <-answers}
		if slices.Sort(got); !slices.Equal(got, []string{"cancelMediaProcessing 503", "playPrompt 404", "playPrompt 503"}) {
			t.Errorf("got %q", got)
		}
		if now := call.Queue().Snapshot(); len(now.Waiting) != 0 || now.Running.Kind() != operation.KindRecordResponse {
			t.Errorf("what nobody waited for was enqueued: %+v", now)
		}
	})
}

// A hook holds nothing of ours: it may do to the call what it likes, its end included.
func TestTheHookMayReenter(t *testing.T) {
	t.Parallel()
	var handler *graph.Handler
	bot, call, box := admitting(t, func(ctx context.Context, r graph.MediaRequest) (graph.Admission, error) {
		if c, ok := handler.Call(r.Call.ID()); !ok || c != r.Call {
			return graph.Admission{}, errors.New("no such call")
		}
		if _, err := r.Call.Queue().Enqueue(ctx, &speak{Text: "first"}); err != nil {
			return graph.Admission{}, err
		}
		r.Call.Queue().CancelAll()
		if err := r.Call.SetState(graph.State{Call: graph.Hold}); err != nil {
			return graph.Admission{}, err
		}
		if r.ClientContext == "p" {
			return graph.Admission{}, r.Call.Detach(graph.ResultInfo{})
		}
		return graph.Admission{}, nil
	})
	handler = call.handler
	bot.post(call, "recordResponse", recordBody).must(t, 200)
	bot.post(call, "playPrompt", playBody).must(t, 404)
	<-call.Done()
	if all := box.all(); at(all[len(all)-1], "resourceData", "state") != "terminated" {
		t.Errorf("notifications: %s", show(all))
	}
}

// What is given to package fmt is not read without its lock; and what Admit gets shows no token.
func TestWhatIsServedIsPrinted(t *testing.T) {
	t.Parallel()
	asked := make(chan graph.MediaRequest, 1)
	ledger, err := graph.NewLedger(time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	client, call, _ := admitting(t, func(_ context.Context, r graph.MediaRequest) (graph.Admission, error) {
		asked <- r
		return graph.Admission{}, nil
	}, graph.WithLedger(ledger))
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			_ = fmt.Sprintf("%v %+v %s", call.handler, call.Call, ledger)
		}
	})
	client.post(call, "playPrompt", playBody).must(t, 200)
	call.media.Current().End(operation.Result{})
	all.Wait()
	r := <-asked
	want := "playPrompt on call " + call.ID().String() + ` by application "` + tokens["bot"].ID + `"`
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("asked", slog.Any("request", r))
	if got := fmt.Sprintf("%+v", r); got != want || strings.Contains(log.String(), "Bearer") || !strings.Contains(log.String(), "playPrompt on call") {
		t.Errorf("got %q and %s, want %q", got, &log, want)
	}
	if got := fmt.Sprint(call.handler); got != "graph handler, 1 calls" {
		t.Error(got)
	}
	if got := fmt.Sprint(ledger); got != "ledger, 1 calls changed" {
		t.Error(got)
	}
}
