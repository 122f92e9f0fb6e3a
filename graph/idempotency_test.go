package graph_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
)

// again sends an action with an id of the client's.
func (c *client) again(call *phone, action, id, body string) reply {
	c.tb.Helper()
	return c.request(http.MethodPost, "/communications/calls/"+call.ID().String()+"/"+action, body, "Client-Request-Id", id)
}

// operations returns the ids of what a client can read of a call.
func (c *client) operations(call *phone) (ids []string) {
	c.tb.Helper()
	list, _ := at(c.request(http.MethodGet, "/communications/calls/"+call.ID().String()+"/operations", nil).body, "value").([]any)
	for _, v := range list {
		ids = append(ids, at(v, "id").(string))
	}
	return ids
}

// A request that comes again is answered with the operation of the first one, while it lives and
// when it has ended; nothing happens twice, and nothing more is kept.
func TestARepeatedRequestIsAnsweredWithTheFirstOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithIdempotency(), graph.WithKind(speaking()), graph.WithMaxBytes(4<<10, 0))
		defer p.stop()
		bot, call := p.direct(), p.attach("bot", "")
		first := bot.again(call, "playPrompt", "c-1", playBody).must(t, 200)
		for _, body := range []string{playBody, strings.Replace(playBody, `"p"`, `"another"`, 1)} {
			for range 10 {
				r := bot.again(call, "playPrompt", "c-1", body).must(t, 200)
				if r.text("id") != first.text("id") || r.header.Get("Location") != first.header.Get("Location") || r.text("status") != "running" || r.text("clientContext") != "p" {
					t.Fatalf("a repeat: got %s", show(r.body))
				}
			}
		}
		if call.live() != 1 {
			t.Errorf("%d live", call.live())
		}
		call.waitStarted(t).End(succeeded())
		synctest.Wait()
		if r := bot.again(call, "playPrompt", "c-1", playBody).must(t, 200); r.text("id") != first.text("id") || r.text("status") != "running" {
			t.Errorf("a repeat of what has ended: got %s", show(r.body))
		}
		if ids := bot.operations(call); len(ids) != 1 || ids[0] != first.text("id") {
			t.Errorf("listed: %v", ids)
		}
		synctest.Wait()
		if n := len(box.all()); n != 2 {
			t.Errorf("%d notifications, want established and an end", n)
		}
		// Nothing is kept of all that: there is room for all there was room for.
		bot.again(call, "speakText", "c-2", `{"text":"`+strings.Repeat("x", 2<<10)+`"}`).must(t, 200)
		bot.again(call, "speakText", "c-3", `{"text":"`+strings.Repeat("x", 2<<10)+`"}`).must(t, 429)
		// What is too old is another request.
		time.Sleep(queue.DefaultKeyAge + time.Second)
		if r := bot.again(call, "playPrompt", "c-1", playBody).must(t, 429); r.text("id") == first.text("id") {
			t.Errorf("after a long time: got %s", show(r.body))
		}
	})
}

// A cancel that comes again does not end what came since.
func TestARepeatedCancelEndsNothing(t *testing.T) {
	t.Parallel()
	bot, call, _ := admitting(t, nil, graph.WithIdempotency())
	bot.post(call, "playPrompt", playBody).must(t, 200)
	first := bot.again(call, "cancelMediaProcessing", "c-1", `{}`).must(t, 200)
	bot.post(call, "playPrompt", playBody).must(t, 200)
	if r := bot.again(call, "cancelMediaProcessing", "c-1", `{}`).must(t, 200); r.text("id") != first.text("id") {
		t.Errorf("a repeat: got %s", show(r.body))
	}
	if call.live() != 1 || len(bot.operations(call)) != 3 {
		t.Errorf("%d live, listed: %v", call.live(), bot.operations(call))
	}
	if r := bot.again(call, "cancelMediaProcessing", "c-2", `{}`).must(t, 200); r.text("id") == first.text("id") || call.live() != 0 {
		t.Errorf("another cancel: got %s, %d live", show(r.body), call.live())
	}
}

// Only a good id of the client's is a key, only with the option, and only for what was accepted; the
// platform's own keys are others.
func TestWhatIsNoRepeat(t *testing.T) {
	t.Parallel()
	bot, call, _ := admitting(t, nil, graph.WithIdempotency())
	plain, other, _ := admitting(t, nil)
	for name, test := range map[string]struct {
		bot  *client
		call *phone
		id   string
	}{
		"no option": {plain, other, "c-1"}, "no id": {bot, call, ""}, "a long id": {bot, call, noise(129)}, "no text": {bot, call, "a b"},
	} {
		a := test.bot.again(test.call, "playPrompt", test.id, playBody).must(t, 200)
		if b := test.bot.again(test.call, "playPrompt", test.id, playBody).must(t, 200); a.text("id") == b.text("id") {
			t.Errorf("%s: one operation", name)
		}
	}
	long := noise(128)
	a := bot.again(call, "playPrompt", long, playBody).must(t, 200)
	if b := bot.again(call, "playPrompt", long, playBody).must(t, 200); a.text("id") != b.text("id") {
		t.Error("the longest id: two operations")
	}
	r := bot.again(call, "recordResponse", long, recordBody)
	envelope(t, r)
	if r.status != 422 || r.text("error", "code") != "idempotencyKeyReused" {
		t.Errorf("another kind: got %d: %s", r.status, show(r.body))
	}
	bot.again(call, "playPrompt", "c-2", `{}`).must(t, 400)
	bot.again(call, "recordResponse", "c-2", recordBody).must(t, 200)
	own, err := call.Queue().Enqueue(t.Context(), &speak{Text: "x"}, queue.IdempotencyKey("c-3"))
	if err != nil {
		t.Fatal(err)
	}
	if r := bot.again(call, "speakText", "c-3", speakBody).must(t, 200); r.text("id") == own.ID().String() {
		t.Error("a client got an operation of the platform's by its key")
	}
	if err := call.Detach(graph.ResultInfo{}); err != nil {
		t.Fatal(err)
	}
	bot.again(call, "playPrompt", long, playBody).must(t, 404)
}

// Of a hundred at once one operation comes to be, of which all hear; the platform is asked each time,
// and delivered each time.
func TestAHundredRepeatsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	const n = 100
	var mu sync.Mutex
	answered := map[*operation.Operation]int{}
	bot, call, box := admitting(t, func(context.Context, graph.MediaRequest) (graph.Admission, error) {
		return graph.Admission{
			Options: []queue.EnqueueOption{queue.IdempotencyKey(time.Now().String())},
			Answered: func(op *operation.Operation, _ error) {
				mu.Lock()
				defer mu.Unlock()
				answered[op]++
			},
		}, nil
	}, graph.WithIdempotency(), graph.WithMaxRequests(0))
	ids := make(chan string, n)
	for range n {
		go func() { ids <- bot.again(call, "playPrompt", "c-1", playBody).text("id") }()
	}
	first := <-ids
	for range n - 1 {
		if id := <-ids; id != first {
			t.Errorf("got %q and %q", id, first)
		}
	}
	if call.live() != 1 || len(answered) != 1 || len(bot.operations(call)) != 1 {
		t.Errorf("%d live, %v answered, listed: %v", call.live(), answered, bot.operations(call))
	}
	call.waitStarted(t).End(succeeded())
	box.wait(t, 2)
	if p := ends(box.all()); p[first] != 1 {
		t.Errorf("notifications: %v", p)
	}
}

// Requests without an id take no place among those that a call remembers.
func TestRequestsWithoutAnIDAreNotRemembered(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, new(inbox).Deliver, graph.WithIdempotency())
	bot, call := p.direct(), p.attach("bot", "", queue.WithIdempotency(1, time.Hour))
	first := bot.again(call, "playPrompt", "c-1", playBody).must(t, 200)
	bot.post(call, "playPrompt", playBody).must(t, 200)
	if r := bot.again(call, "playPrompt", "c-1", playBody).must(t, 200); r.text("id") != first.text("id") {
		t.Error("a request without an id has driven out one with an id")
	}
}
