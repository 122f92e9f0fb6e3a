package graph_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/webhook"
)

// What clients, their callbacks and the platform's own mistakes tried, and what must come of it.
// docs/security.md names these tests.

func playX() *operation.PlayPrompt {
	return &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "x"}}}
}

// An operation's id may come again once its first bearer has ended: the history holds both, each
// leaves it in its time, and nothing hangs.
func TestAnIDMayComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithRetention(time.Minute, 3))
		bot, call, other := p.direct(), p.attach("bot", ""), p.attach("bot", "")
		id := uuid.New()
		path := "/communications/calls/" + call.ID().String() + "/operations"
		for i := range 3 {
			if _, err := call.Queue().Enqueue(t.Context(), playX(), queue.ID(id), queue.ClientContext(strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			got := bot.request("GET", path+"/"+id.String(), nil).must(t, 200)
			equal(t, "the last one with the id", []any{got.text("clientContext"), got.text("status")}, []any{strconv.Itoa(i), "running"})
			call.media.Current().End(succeeded())
			synctest.Wait()
			time.Sleep(20 * time.Second)
		}
		equal(t, "after the first has gone", list(t, bot, call), []string{"playPromptOperation completed", "playPromptOperation completed"})
		bot.request("GET", path+"/"+id.String(), nil).must(t, 200) // the last one is there
		for range 4 {
			bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		}
		bot.request("GET", path+"/"+id.String(), nil).must(t, 404)
		time.Sleep(time.Hour)
		equal(t, "after their time", len(list(t, bot, call))+len(list(t, bot, other)), 0)
		equal(t, "notifications", ends(box.all()), map[string]int{id.String(): 3})
	})
}

// The context of an operation that a request made is good for another operation, of this call or of
// another one: each is listed and delivered as if it had been enqueued without.
func TestNothingIsInheritedThroughTheContextOfAnOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call, other := p.direct(), p.attach("bot", ""), p.attach("bot", "")
		bot.post(call, "playPrompt", playBody).must(t, 200)
		first := call.Queue().Snapshot().Running
		for name, c := range map[string]*phone{"same": call, "other": other} {
			if _, err := c.Queue().Enqueue(first.Context(), playX(), queue.ClientContext(name)); err != nil {
				t.Fatal(err)
			}
			// Nor by its value, should a platform hand that on.
			if _, err := c.Queue().Enqueue(t.Context(), playX(), queue.ClientContext(name+" value"), queue.Value(first.Value())); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		equal(t, "listed", []int{len(list(t, bot, call)), len(list(t, bot, other))}, []int{3, 2})
		call.Queue().CancelAll()
		other.Queue().CancelAll()
		synctest.Wait()
		told := map[any]int{}
		for _, n := range box.all() {
			if c := at(n, "resourceData", "clientContext"); c != nil {
				told[c]++
			}
		}
		if show(told["p"])+show(told["same"])+show(told["other"])+show(told["same value"])+show(told["other value"]) != "11111" {
			t.Errorf("notifications: %v", told)
		}
	})
}

// A NewCall whose request was answered ties nothing: a call that is attached with it later is notified
// of at once.
func TestAnAnsweredRequestHoldsNothingBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithMaxCalls(2))
		bot := p.direct()
		var wish graph.NewCall
		p.media = func(n graph.NewCall) queue.Media { wish = n; return new(queuetest.Media) }
		bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`).must(t, 201)
		late, err := p.add(wish.Attach, new(queuetest.Media), graph.Attachment{Application: tokens["bot"].ID, State: graph.State{Call: graph.Hold}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		told := lines(box.all())
		slices.Sort(told) // two calls, in no order
		equal(t, "notifications", told, []string{"updated call established", "updated call hold"})
		bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`).must(t, 429) // both count
		_ = late.Detach(graph.ResultInfo{})
		synctest.Wait()
		bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`).must(t, 201)
		if _, err := (graph.NewCall{}).Attach(graph.Attachment{}); err == nil {
			t.Error("a NewCall of nobody was taken")
		}
	})
}

// A context of the platform's whose Value blocks, or calls the handler, holds up the request that
// has it, and nothing else.
func TestNoContextIsAskedUnderALock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		ctx := askedContext{t.Context(), func() { list(t, bot, call) }} // waits for the handler's locks
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, bot.base+"/communications/calls", strings.NewReader(`{"callbackUri":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer bot")
		r.Header.Set("Content-Type", "application/json")
		w, err := bot.do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		equal(t, "status", w.StatusCode, 201)
		if _, err := call.Queue().Enqueue(ctx, playX()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "operations", list(t, bot, call), []string{"playPromptOperation running"})
	})
}

type askedContext struct {
	context.Context

	ask func()
}

func (c askedContext) Value(key any) any {
	c.ask()
	return c.Context.Value(key)
}

// A request of the platform's own whose Kind panics, and a logger that panics, end nothing.
func TestFaultsOfThePlatformsTypesEndNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var box inbox
		p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
			_ = box.Deliver(ctx, d)
			return errors.New("given up, and logged")
		}, graph.WithLogger(slog.New(badLogger{})))
		bot, call := p.direct(), p.attach("bot", "")
		odd := &moody{}
		if _, err := call.Queue().Enqueue(t.Context(), odd); err != nil {
			t.Fatal(err)
		}
		odd.bad.Store(true)
		synctest.Wait()
		equal(t, "operations", list(t, bot, call), []string{"commsOperation running"})
		call.media.Current().End(succeeded())
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{"updated call established", "deleted commsOperation completed 200/0"})
		equal(t, "given up", p.handler.Stats().GivenUp, 2)
	})
}

// moody is a request of the platform's own that panics when it is in the mood.
type moody struct{ bad atomic.Bool }

func (m *moody) Kind() operation.Kind {
	if m.bad.Load() {
		panic("not today")
	}
	return "moody"
}
func (*moody) Validate() error { return nil }

type badLogger struct{}

func (badLogger) Enabled(context.Context, slog.Level) bool  { return true }
func (badLogger) Handle(context.Context, slog.Record) error { panic("the disk is full") }
func (l badLogger) WithAttrs([]slog.Attr) slog.Handler      { return l }
func (l badLogger) WithGroup(string) slog.Handler           { return l }

// What is kept is a small multiple of what came over the wire, whatever that was.

// kept returns how many bytes of memory f leaves behind.
func kept(f func()) int64 {
	measure := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := measure()
	f()
	return measure() - before
}

// allocated returns how many bytes of memory f asks for.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// A kilobyte of gzip does not become megabytes, neither while it is read nor after.
func TestASmallRequestKeepsLittle(t *testing.T) { //nolint:paralleltest // measures memory
	p := newPlatform(t, new(inbox).Deliver)
	bot := p.direct()
	for _, test := range []struct{ name, body, says string }{
		{"many targets", `{"callbackUri":"x","targets":[` + strings.Repeat(`{},`, 2000) + `{}]}`, "targets is 2001 elements, must be at most 100."},
		{"null targets", `{"callbackUri":"x","targets":[` + strings.Repeat(`null,`, 2000) + `{}]}`, "targets is 2001 elements"},
		{"big target", `{"callbackUri":"x","targets":[{"a":"` + strings.Repeat("<", 5000) + `"}]}`, "chatInfo and meetingInfo is 30"},
		{"media config", `{"callbackUri":"x","mediaConfig":{"a":"` + strings.Repeat("x", 17_000) + `"}}`, "must be at most 16384."},
		{"modalities", `{"callbackUri":"x","requestedModalities":[` + strings.Repeat(`"audio",`, 3000) + `"audio"]}`, "requestedModalities is 3001 elements, must be at most 4."},
		{"long modality", `{"callbackUri":"x","requestedModalities":["` + strings.Repeat("x", 5000) + `"]}`, "requestedModalities[0] is"},
		{"long subject", `{"callbackUri":"x","subject":"` + strings.Repeat("x", 5000) + `"}`, "subject is 5000 bytes, must be at most 1024."},
		{"long callback", `{"callbackUri":"` + strings.Repeat("x", 5000) + `"}`, "callbackUri is 5000 bytes, must be at most 2048."},
		{"long ringing", `{"callbackUri":"x","ringingTimeoutInSeconds":116}`, "ringingTimeoutInSeconds is 116, must be 0 to 115."},
		{"ringing before", `{"callbackUri":"x","ringingTimeoutInSeconds":-1}`, "ringingTimeoutInSeconds is -1"},
		{"long number", `{"callbackUri":"x","ringingTimeoutInSeconds":` + strings.Repeat("1", 100_000) + `}`, "ringingTimeoutInSeconds is 1111"},
		{"long name", `{"callbackUri":"x","` + strings.Repeat("ü", 20_000) + `":[1],"subject":[]}`, "subject is array"},
		{"empty targets", `{"callbackUri":"x","targets":[` + strings.Repeat(`{},`, 349_000) + `{}]}`, "too large"},
	} {
		refused := func(sent []byte, header ...string) (message string) {
			var r reply
			n := allocated(func() { r = bot.request("POST", "/communications/calls", sent, header...) })
			if r.status != 400 && r.status != 413 {
				t.Errorf("%s: got %d", test.name, r.status)
			}
			if most := int64(1<<20 + 64*min(len(sent), graph.DefaultMaxBody)); n > most {
				t.Errorf("%s: %d bytes are allocated for %d, want at most %d", test.name, n, len(sent), most)
			}
			if n := len(show(r.body)); n > 1500 {
				t.Errorf("%s: answered with %d bytes", test.name, n)
			}
			if p.calls != nil {
				t.Fatalf("%s: a call was made", test.name)
			}
			return r.text("error", "message")
		}
		if message := refused([]byte(test.body)); !strings.Contains(message, test.says) {
			t.Errorf("%s: %s", test.name, message)
		}
		refused(zipped(test.body), "Content-Encoding", "gzip")
	}
	for name, body := range map[string]string{
		"uri":         `{"prompts":[{"mediaInfo":{"uri":"a"}},{"mediaInfo":{"uri":"` + strings.Repeat("x", 5000) + `"}}]}`,
		"resource id": `{"prompts":[{"mediaInfo":{"uri":"a"}},{"mediaInfo":{"uri":"a","resourceId":"` + strings.Repeat("x", 5000) + `"}}]}`,
	} {
		call := p.attach("bot", "")
		r := bot.post(call, "playPrompt", body).must(t, 400)
		if message := r.text("error", "message"); !strings.HasPrefix(message, "prompts[1].mediaInfo.") || !strings.Contains(message, "5000 bytes") {
			t.Errorf("%s: %s", name, message)
		}
	}
}

// A path that is longer than any of ours is echoed nowhere.
func TestALongPathIsNoResource(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver)
	bot, call := p.direct(), p.attach("bot", "")
	path := "/communications/calls/" + call.ID().String() + "/cancelMediaProcessing"
	bot.request("POST", strings.Repeat("/a", 900)+path, `{}`).must(t, 200)
	bot.request("POST", strings.Repeat("/a", 1000)+path, `{}`).must(t, 404)
}

// What the queue refuses keeps nothing.
func TestWhatIsRefusedKeepsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, new(inbox).Deliver, graph.WithMaxBytes(10_000, 0))
		bot, call := p.direct(), p.attach("bot", "", queue.WithMaxPending(1))
		for range 2 {
			bot.post(call, "playPrompt", playBody).must(t, 200)
		}
		for range 100 {
			r := bot.post(call, "playPrompt", playBody).must(t, 429)
			equal(t, "message", r.text("error", "message"), "The call's operation queue is full.")
		}
		call.Queue().Close(nil)
		bot.post(call, "playPrompt", playBody).must(t, 404)
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		equal(t, "applications with something kept", p.handler.Busy(), 0)
	})
}

// The largest requests that are taken keep no more than their own size, a few times over, while
// they wait, and next to nothing once they have ended.
func TestWhatIsKeptIsInProportion(t *testing.T) { //nolint:paralleltest // measures memory
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, func(context.Context, webhook.Delivery) error { return nil }, graph.WithMaxBytes(0, 0))
		bot, call := p.direct(), p.attach("bot", "")
		prompts := make([]string, operation.MaxPlayPrompts)
		for i := range prompts {
			prompts[i] = `{"mediaInfo":{"uri":"` + noise(graph.MaxURI) + `","resourceId":"` + noise(graph.MaxResourceID) + `"}}`
		}
		body := `{"clientContext":"` + strings.Repeat("ä", 256) + `","prompts":[` + strings.Join(prompts, ",") + `]}`
		const plays = 200
		waiting := kept(func() {
			for range plays {
				bot.post(call, "playPrompt", body).must(t, 200)
			}
		})
		if most := int64(3 * plays * len(body) / 2); waiting > most {
			t.Errorf("%d bytes are kept for %d that wait, want at most %d", waiting, plays*len(body), most)
		}
		after := waiting + kept(func() {
			call.Queue().CancelAll()
			synctest.Wait()                                                 // until the last of the ends is delivered, and whoever delivered it is through
			equal(t, "notifications", p.handler.Stats().Delivered, plays+1) // the call's state, and them
		})
		if most := int64(graph.DefaultKeepPerCall * 4096); after > most {
			t.Errorf("%d bytes are kept after the end, want at most %d", after, most)
		}

		wish := `{"callbackUri":"` + noise(graph.MaxURI) + `","targets":[` + strings.TrimSuffix(strings.Repeat(`{"a":"`+noise(90)+`"},`, graph.MaxTargets), ",") + `]}`
		answered := 0
		made := kept(func() { answered = len(show(bot.request("POST", "/communications/calls", wish).must(t, 201).body)) })
		if most := int64(3*len(wish) + 16<<10); made > most {
			t.Errorf("%d bytes are kept for a call of %d, want at most %d", made, len(wish), most)
		}
		if answered > 2*len(wish) {
			t.Errorf("%d bytes are answered with %d", len(wish), answered)
		}
	})
}

// A call, and an application, have so many bytes for operations whose end was not delivered, and no more:
// what they had is theirs again when it was.
func TestBytesAreBoundedPerCallAndPerApplication(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var box inbox
		p := newPlatform(t, func(ctx context.Context, d webhook.Delivery) error {
			<-gate
			return box.Deliver(ctx, d)
		}, graph.WithMaxBytes(20_000, 30_000))
		bot := p.direct()
		calls := []*phone{p.attach("bot", ""), p.attach("bot", ""), p.attach("other", "")}
		body := `{"prompts":[{"mediaInfo":{"uri":"` + strings.Repeat("x", 2000) + `"}}]}`
		fill := func(c *phone, token string) (accepted int) {
			as := *bot
			as.token = token
			for {
				r := as.post(c, "playPrompt", body)
				if r.status != 200 {
					r.must(t, 429)
					if r.header.Get("Retry-After") != "1" {
						t.Errorf("header %v", r.header)
					}
					return accepted
				}
				accepted++
			}
		}
		want := []int{6, 3, 6} // 3,072 bytes each
		equal(t, "accepted", []int{fill(calls[0], "bot"), fill(calls[1], "bot"), fill(calls[2], "other")}, want)
		bot.post(calls[0], "cancelMediaProcessing", `{}`).must(t, 200) // is never refused
		synctest.Wait()
		// The notifications take 1,024 each until they are delivered.
		equal(t, "accepted beside notifications", []int{fill(calls[0], "bot"), fill(calls[1], "bot")}, []int{4, 0})
		for _, c := range calls {
			c.Queue().CancelAll()
		}
		synctest.Wait()
		close(gate)
		synctest.Wait()
		equal(t, "again", []int{fill(calls[0], "bot"), fill(calls[1], "bot"), fill(calls[2], "other")}, want)
		for _, c := range calls { // the ends of calls give back what they have
			_ = c.Detach(graph.ResultInfo{})
		}
		synctest.Wait()
		next := p.attach("bot", "")
		equal(t, "a new call", fill(next, "bot"), 6)
		_ = next.Detach(graph.ResultInfo{})
		synctest.Wait()
		time.Sleep(time.Second)
		equal(t, "accounts with something in them", p.handler.Busy(), 0)
	})
}

// Ended operations are shown up to a number of one application: it can't drive out those of others.
func TestEndedOperationsOfAnApplicationDriveOutItsOwn(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver, graph.WithMaxRetained(5, 100))
	bot, other := p.direct(), p.direct()
	other.token = "other"
	quiet := p.attach("other", "")
	other.post(quiet, "subscribeToTone", `{}`).must(t, 200)
	calls := []*phone{p.attach("bot", ""), p.attach("bot", ""), p.attach("bot", "")}
	for range 4 {
		for _, c := range calls {
			bot.post(c, "subscribeToTone", `{}`).must(t, 200)
		}
	}
	equal(t, "shown", []int{len(list(t, bot, calls[0])), len(list(t, bot, calls[1])), len(list(t, bot, calls[2])), len(list(t, other, quiet))}, []int{1, 2, 2, 1})
}

// An application has so many calls, those that are being made and those whose end is not delivered
// included.
func TestCallsOfAnApplicationAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		p := newPlatform(t, func(context.Context, webhook.Delivery) error { <-gate; return nil }, graph.WithMaxCalls(3))
		bot := p.direct()
		fail := false
		p.media = func(graph.NewCall) queue.Media {
			if fail {
				panic("no media")
			}
			return new(queuetest.Media)
		}
		create := func(token string) reply {
			c := *bot
			c.token = token
			return c.request("POST", "/communications/calls", `{"callbackUri":"x"}`)
		}
		fail = true
		for range 5 { // what fails takes no place
			create("bot").must(t, 500)
		}
		fail = false
		p.attach("bot", "") // the platform's own counts
		first := create("bot").must(t, 201)
		create("bot").must(t, 201)
		r := create("bot").must(t, 429)
		envelope(t, r)
		if r.header.Get("Retry-After") != "5" {
			t.Errorf("got %v", r.header)
		}
		create("other").must(t, 201)
		p.attach("bot", "") // and is never refused
		bot.request("DELETE", "/communications/calls/"+first.text("id"), nil).must(t, 204)
		synctest.Wait()
		create("bot").must(t, 429) // its end is not delivered
		close(gate)
		synctest.Wait()
		create("bot").must(t, 429) // there is one too many yet
		_ = p.calls[0].Detach(graph.ResultInfo{})
		synctest.Wait()
		create("bot").must(t, 201)
		create("bot").must(t, 429)
	})
}

// Calls that are made at once are counted before they are there.
func TestCallsThatAreMadeAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, new(inbox).Deliver, graph.WithMaxCalls(10))
		bot := p.direct()
		var mu sync.Mutex
		statuses := map[int]int{}
		var all sync.WaitGroup
		p.media = func(graph.NewCall) queue.Media {
			time.Sleep(time.Second)
			return new(queuetest.Media)
		}
		for range 100 {
			all.Go(func() {
				r := bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`)
				mu.Lock()
				defer mu.Unlock()
				statuses[r.status]++
			})
		}
		all.Wait()
		equal(t, "answers", statuses, map[int]int{201: 10, 429: 90})
	})
}

// A call is counted once, also while CreateCall has attached it and has not returned.
func TestACallIsCountedOnceWhileItIsMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p *platform
		h, err := graph.New(graph.Platform{
			Authenticate: authenticate, Deliver: new(inbox).Deliver,
			CreateCall: func(ctx context.Context, n graph.NewCall) (*graph.Call, error) {
				c, err := p.create(ctx, n)
				time.Sleep(time.Second)
				return c, err
			},
		}, graph.WithLogger(quiet), graph.WithMaxCalls(2))
		if err != nil {
			t.Fatal(err)
		}
		p = &platform{tb: t, handler: h, first: graph.State{Call: graph.Established}}
		t.Cleanup(p.stop)
		bot := p.direct()
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`).must(t, 201) })
			synctest.Wait()
		}
		all.Wait()
		bot.request("POST", "/communications/calls", `{"callbackUri":"x"}`).must(t, 429)
	})
}

// An application has so many requests a second, whatever they are; others do not feel it.
func TestRequestsOfAnApplicationAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, new(inbox).Deliver, graph.WithMaxRequests(10))
		bot, call := p.direct(), p.attach("bot", "")
		burst := func() (passed int) {
			for range 50 {
				r := bot.post(call, "keepAlive", nil)
				if r.status == 200 {
					passed++
					continue
				}
				r.must(t, 429)
				envelope(t, r)
				if r.header.Get("Retry-After") != "1" {
					t.Fatalf("got %v", r.header)
				}
			}
			return passed
		}
		equal(t, "at once", burst(), 10)
		time.Sleep(300 * time.Millisecond)
		equal(t, "after 0.3 s", burst(), 3)
		bot.request("POST", "/nowhere", nil).must(t, 429)
		other := *bot
		other.token = "other"
		other.request("GET", "/nowhere", nil).must(t, 404)
		time.Sleep(time.Hour)
		equal(t, "after a rest", burst(), 10)
	})
}

// Applications that have gone leave nothing behind.
func TestApplicationsThatHaveGoneAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		h, err := graph.New(graph.Platform{
			Authenticate: func(*http.Request) (graph.Application, error) {
				n++
				return graph.Application{ID: fmt.Sprint("app-", n)}, nil
			},
			Deliver: new(inbox).Deliver,
		}, graph.WithLogger(quiet))
		if err != nil {
			t.Fatal(err)
		}
		p := &platform{tb: t, handler: h}
		for range 10_000 {
			p.direct().request("GET", "/nowhere", nil).must(t, 404)
			time.Sleep(time.Second)
		}
		if got := h.Accounts(); got > 50 {
			t.Errorf("%d accounts are kept", got)
		}
	})
}

// A type error names the member by its path in JSON, never by a type of Go's.
func TestTypeErrorsNameThePathInJSON(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver)
	bot, call := p.direct(), p.attach("bot", "")
	for _, test := range []struct{ action, body, says string }{
		{"playPrompt", `{"clientContext":7}`, "clientContext is number, must be a string."},
		{"recordResponse", `{"clientContext":[7]}`, "clientContext is array, must be a string."},
		{"subscribeToTone", ` { "a" : {"clientContext":[1,{"b":2}]} , "clientContext" : {} }`, "clientContext is object, must be a string."},
		{"playPrompt", `{"prompts":[{"mediaInfo":{"uri":"a"}},{"mediaInfo":{"uri":true}}]}`, "prompts[1].mediaInfo.uri is bool, must be a string."},
		{"playPrompt", `{"prompts":[{"x":[[],[1,2]],"mediaInfo":{"uri":"a"}},{},{"mediaInfo":[]}]}`, "prompts[2].mediaInfo is array, must be an object."},
		{"playPrompt", `{"prompts":[{},[]]}`, "prompts[1] is array, must be an object."},
		{"playPrompt", `{"prompts":{"0":{}}}`, "prompts is object, must be an array."},
		{"recordResponse", `{"stopTones":["1",2]}`, "stopTones[1] is number, must be a string."},
		{"recordResponse", `{"playBeep":"no"}`, "playBeep is string, must be true or false."},
		{"recordResponse", `{"maxSilenceTimeoutInSeconds":"1"}`, "maxSilenceTimeoutInSeconds is string, must be a whole number."},
		{"", `{"targets":[{},[]]}`, "targets[1] is array, must be an object."},
		{"", `{"requestedModalities":[["audio"]]}`, "requestedModalities[0] is array, must be a string."},
		{"", `{"mediaConfig":"x"}`, "mediaConfig is string, must be an object."},
		{"", `{"callbackUri":"x","ringingTimeoutInSeconds":{}}`, "ringingTimeoutInSeconds is object, must be a whole number."},
		{"", `{"callbackUri":` + strings.Repeat("1", 1000) + `}`, "callbackUri is number"},
	} {
		path := "/communications/calls"
		if test.action != "" {
			path += "/" + call.ID().String() + "/" + test.action
		}
		r := bot.request("POST", path, test.body).must(t, 400)
		if got := r.text("error", "message"); !strings.HasPrefix(got, test.says) {
			t.Errorf("%s: got %q, want %q", test.body, got, test.says)
		}
	}
	// What is passed through may be of any type and size, and stays as it is.
	r := bot.request("POST", "/communications/calls", `{"callbackUri":"x","targets":[{"n":12345678901234567890}]}`).must(t, 201)
	equal(t, "target", at(r.body, "targets", 0), object{"n": 12345678901234567890.0, "endpointType": nil, "replacesCallId": nil})
}
