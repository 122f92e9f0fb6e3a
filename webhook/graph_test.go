package webhook_test

import (
	"log/slog"
	"net/http"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
)

// operations finds the ids of ended operations in a body.
var operations = regexp.MustCompile(`/operations/[0-9a-f-]{36}`)

// A bot that is away for a moment, in any way, gets everything, in order, once, while what waits
// for it stays bounded: with package graph, which makes the deliveries.
func TestABotThatIsAwayForAMomentLosesNothing(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(http.ResponseWriter, *http.Request){
		"404": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"a long wait": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "100")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
		"a redirect to nobody": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://10.0.0.1/", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c := newCallback(t, func(_ int, w http.ResponseWriter, r *http.Request) {
					if time.Since(start) < 70*time.Second {
						away(w, r)
					}
				})
				notifier := c.notifier(t)
				handler, err := graph.New(graph.Platform{
					Authenticate: func(*http.Request) (graph.Application, error) { return graph.Application{ID: "bot"}, nil },
				}, graph.WithNotifier(notifier), graph.WithLogger(slog.New(slog.DiscardHandler)))
				if err != nil {
					t.Fatal(err)
				}
				q, err := queue.New("leg", new(queuetest.Media), queue.WithObserver(handler))
				if err != nil {
					t.Fatal(err)
				}
				call, err := handler.Attach(graph.Attachment{
					Queue: q, Tones: new(tone.Stream), Application: "bot", CallbackURI: "http://localhost/callback",
				})
				if err != nil {
					t.Fatal(err)
				}
				var want []string
				for range 150 {
					op, err := q.Enqueue(t.Context(), &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "a"}}})
					if err != nil {
						t.Fatal(err)
					}
					want = append(want, op.ID().String())
				}
				q.CancelAll()
				_ = call.Detach(graph.ResultInfo{})
				if err := handler.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
				<-q.Done()
				var got []string
				seen := map[string]bool{} // what is repeated has the same bytes
				for _, a := range c.seen() {
					if a.at.Sub(start) >= 70*time.Second && !seen[a.body] {
						seen[a.body] = true
						got = append(got, operations.FindAllString(a.body, -1)...)
					}
				}
				for i, id := range got {
					got[i] = id[len(id)-36:]
				}
				equal(t, "notifications", got, want)
				equal(t, "given up", handler.Stats().GivenUp, 0)
			})
		})
	}
}
