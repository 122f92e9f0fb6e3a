package graph_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"ivrqueue/graph"
	"ivrqueue/queue"
	"ivrqueue/webhook"
)

// Half of 200 calls have callbacks that are dead, each in its own way. The others get
// everything, in order, while the dead ones are still being tried, and those take up bounded memory.
func TestDeadCallbacksDelayNoOthers(t *testing.T) {
	t.Parallel()
	const calls, plays, outbox, pending = 200, 20, 32, 8
	hang := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		case "/reset":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(dead.Close)
	t.Cleanup(func() { close(hang) })
	dead.Config.ErrorLog = nil
	boxes := make([]inbox, calls)
	living := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		boxes[n].ServeHTTP(w, r)
	}))
	t.Cleanup(living.Close)

	p := newPlatform(t, nil, graph.WithNotifier(newNotifier(t, webhook.WithMaxElapsedTime(time.Hour), webhook.WithAttemptTimeout(time.Hour))), graph.WithOutbox(outbox))
	bot := p.direct()
	phones := make([]*phone, calls)
	for i := range phones {
		uri := fmt.Sprintf("%s/%d", living.URL, i)
		if i%2 == 1 {
			uri = []string{dead.URL + "/hang", dead.URL + "/reset", "http://127.0.0.1:1/"}[i/2%3]
		}
		phones[i] = p.attach("bot", uri, queue.WithMaxPending(pending))
	}
	ids := make([][]string, calls)
	for range plays / 2 {
		for i, c := range phones {
			for range 2 {
				ids[i] = append(ids[i], bot.post(c, "playPrompt", playBody).must(t, 200).text("id"))
			}
			bot.post(c, "cancelMediaProcessing", `{}`).must(t, 200)
		}
	}
	for i := 0; i < calls; i += 2 {
		var got []string
		for _, n := range boxes[i].wait(t, 1+plays)[1:] {
			id, _ := at(n, "resourceData", "id").(string)
			got = append(got, id)
		}
		if !slices.Equal(got, ids[i]) {
			t.Fatalf("call %d: got %q, want %q", i, got, ids[i])
		}
	}
	if s := p.handler.Stats(); s.GivenUp != 0 || s.Pending < calls/2 {
		t.Errorf("the dead are not dying: %+v", s)
	}

	// Memory is bounded: each of the dead is refused when its outbox is full, and the queue holds
	// as much as it may for an observer that lags. The batch under way may be a whole outbox.
	for i := 1; i < calls; i += 2 {
		accepted, refused := plays, false
		for !refused && accepted <= 2*outbox+1+5*pending {
			switch r := bot.post(phones[i], "playPrompt", playBody); r.status {
			case http.StatusOK:
				accepted++
				phones[i].Queue().CancelAll()
			case http.StatusTooManyRequests:
				refused = true
			default:
				t.Fatalf("got %d: %s", r.status, show(r.body))
			}
		}
		if !refused {
			t.Fatalf("call %d: %d operations accepted without a notification of their end", i, accepted)
		}
	}
}

// A cancel storm on many calls, again and again: each end is delivered once.
func TestCancelStorms(t *testing.T) {
	t.Parallel()
	const rounds, calls = 1000, 8
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot := p.direct()
	phones := make([]*phone, calls)
	for i := range phones {
		phones[i] = p.attach("bot", "")
	}
	var (
		mu       sync.Mutex
		accepted = map[string]bool{}
		all      sync.WaitGroup
	)
	for i, c := range phones {
		action := []string{"playPrompt", "recordResponse"}[i%2]
		all.Go(func() {
			for range rounds {
				id := bot.post(c, action, playBody).must(t, 200).text("id")
				mu.Lock()
				accepted[id] = true
				mu.Unlock()
			}
		})
		all.Go(func() {
			for range rounds {
				bot.post(c, "cancelMediaProcessing", `{}`).must(t, 200)
			}
		})
	}
	all.Wait()
	for _, c := range phones {
		_ = c.Detach(graph.ResultInfo{})
	}
	if err := p.handler.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := ends(box.all())
	for id, n := range told {
		if n != 1 || !accepted[id] {
			t.Fatalf("operation %s: told %d times, accepted %v", id, n, accepted[id])
		}
	}
	equal(t, "operations told", len(told), rounds*calls)
	equal(t, "accepted", len(accepted), rounds*calls)
}
