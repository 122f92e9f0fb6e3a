package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// speech is a kind of operation of the platform's own: text to speech.
type speech struct {
	Text string `json:"text"`
}

func (*speech) Kind() operation.Kind { return "contoso.speech" }

func (s *speech) Validate() error {
	if s.Text == "" {
		return &operation.FieldError{Field: "text", Value: "empty", Limit: "1 to 1000 characters"}
	}
	return nil
}

// A platform gives bots an action of its own. The request is checked where it is enqueued, and the
// outcome that its media reports comes with the notification.
func ExampleWithKind() {
	delivered := make(chan []byte, 10)
	handler, call := exampleCall(graph.Platform{
		Authenticate: anyone,
		Deliver: func(_ context.Context, d webhook.Delivery) error {
			delivered <- d.Body
			return nil
		},
	}, func(context.Context, queue.Active) (operation.Result, error) { // the media
		return operation.Result{Value: map[string]int{"characters": 6}}, nil
	}, graph.WithKind(graph.KindSpec{
		Kind: "contoso.speech", Action: "speak", Type: "#contoso.media.speechOperation",
		Decode: func(body []byte) (operation.Request, error) {
			s := new(speech)
			return s, json.Unmarshal(body, s)
		},
		Outcome: func(r operation.Result) any { return r.Value },
	}))
	<-delivered // established
	defer hangUp(call)
	server := httptest.NewServer(handler)
	defer server.Close()

	url := server.URL + "/v1.0/communications/calls/" + call.ID().String()
	fmt.Println(postAs(url+"/speak", `{}`))
	fmt.Println(postAs(url+"/speak", `{"text": "Hello."}`))
	var body struct {
		Value []struct {
			ResourceData struct {
				Type    string `json:"@odata.type"`
				Outcome json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(<-delivered, &body); err != nil {
		panic(err)
	}
	fmt.Printf("%s: %s\n", body.Value[0].ResourceData.Type, body.Value[0].ResourceData.Outcome)
	// Output:
	// speak: 400
	// speak: 200
	// #contoso.media.speechOperation: {"characters":6}
}

// A platform protects its legal notice, and refuses what is beyond a quota, with a code that its
// bots know.
func ExamplePlatform_admit() {
	plays := 0
	handler, call := exampleCall(graph.Platform{
		Authenticate: anyone,
		Deliver:      func(context.Context, webhook.Delivery) error { return nil },
		Admit: func(_ context.Context, r graph.MediaRequest) (graph.Admission, error) {
			if r.Kind != operation.KindPlayPrompt {
				return graph.Admission{}, nil
			}
			if plays++; plays > 2 {
				return graph.Admission{}, &graph.Error{
					Status: http.StatusTooManyRequests, Code: "quotaLimitReached",
					Message: "A call has two prompts.",
				}
			}
			if r.ClientContext == "legal" {
				return graph.Admission{Options: []queue.EnqueueOption{queue.Protected()}}, nil
			}
			return graph.Admission{}, nil
		},
	}, playUntilStopped, graph.WithSpareProtected())
	defer hangUp(call)
	server := httptest.NewServer(handler)
	defer server.Close()

	url := server.URL + "/v1.0/communications/calls/" + call.ID().String()
	const prompts = `"prompts": [{"mediaInfo": {"uri": "https://cdn.contoso.com/a.wav"}}]`
	fmt.Println(postAs(url+"/playPrompt", `{"clientContext": "legal", `+prompts+`}`))
	fmt.Println(postAs(url+"/playPrompt", `{"clientContext": "menu", `+prompts+`}`))
	fmt.Println(postAs(url+"/playPrompt", `{`+prompts+`}`))
	fmt.Println(postAs(url+"/cancelMediaProcessing", `{}`))
	now := call.Queue().Snapshot()
	fmt.Println(now.Running.ClientContext(), len(now.Waiting))
	// Output:
	// playPrompt: 200
	// playPrompt: 200
	// playPrompt: 429
	// cancelMediaProcessing: 200
	// legal 0
}

// A bot whose connection broke before the answer asks again: nothing is played twice.
func ExampleWithIdempotency() {
	handler, call := exampleCall(graph.Platform{
		Authenticate: anyone,
		Deliver:      func(context.Context, webhook.Delivery) error { return nil },
	}, playUntilStopped, graph.WithIdempotency())
	defer hangUp(call)
	const body = `{"prompts": [{"mediaInfo": {"uri": "https://cdn.contoso.com/a.wav"}}]}`
	locations := map[string]int{}
	for range 3 {
		url := "/v1.0/communications/calls/" + call.ID().String() + "/playPrompt"
		r := httptest.NewRequest(http.MethodPost, url, strings.NewReader(body)) //nolint:noctx // an example
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Client-Request-Id", "6fa7b0a2-2e1d-4f0c-9f4e-0d2a6cf1c7a1")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		locations[w.Header().Get("Location")]++
	}
	fmt.Println(len(locations), "operation,", len(call.Queue().Snapshot().Waiting), "wait")
	// Output:
	// 1 operation, 0 wait
}

// Who ends a call may want to know that its bot was notified: before a process ends, or to write the
// bill.
func ExampleCall_Done() {
	_, call := exampleCall(graph.Platform{
		Authenticate: anyone,
		Deliver:      func(context.Context, webhook.Delivery) error { return nil }, // d.Value: "line 7"
	}, playUntilStopped)
	hangUp(call)
	s := call.Stats() // established and terminated
	fmt.Printf("%v: %d delivered, %d given up\n", call.Value(), s.Delivered, s.GivenUp)
	// Output:
	// line 7: 2 delivered, 0 given up
}

func hangUp(call *graph.Call) {
	if err := call.Detach(graph.ConversationEnded()); err != nil {
		panic(err)
	}
	<-call.Done() // everything was delivered
}

func anyone(r *http.Request) (graph.Application, error) {
	if _, ok := graph.BearerToken(r); !ok {
		return graph.Application{}, errors.New("no token")
	}
	return graph.Application{ID: "bot-1"}, nil
}

// exampleCall is a handler with an established call on a Blocking media.
func exampleCall(
	p graph.Platform, media func(context.Context, queue.Active) (operation.Result, error),
	opts ...graph.Option,
) (*graph.Handler, *graph.Call) {
	handler, err := graph.New(p, opts...)
	if err != nil {
		panic(err)
	}
	q, err := queue.New("leg-7", queue.Blocking(media), queue.WithObserver(handler))
	if err != nil {
		panic(err)
	}
	call, err := handler.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: "bot-1",
		State: graph.State{Call: graph.Established}, Value: "line 7",
	})
	if err != nil {
		panic(err)
	}
	return handler, call
}
