package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// A platform mounts the handler in its server, attaches a call that it owns, and detaches it when
// the caller hangs up. The bot plays and cancels over HTTP; here it gets what came of it by a
// function instead of by a webhook.
func Example() {
	delivered := make(chan string, 10)
	handler, err := graph.New(graph.Platform{
		Authenticate: func(r *http.Request) (graph.Application, error) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				return graph.Application{}, errors.New("unknown token")
			}
			return graph.Application{ID: "bot-1"}, nil
		},
		Deliver: func(_ context.Context, d webhook.Delivery) error {
			delivered <- string(d.Body)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/media/", handler) // knows /v1.0, /beta and the bare root below it
	server := httptest.NewServer(mux)
	defer server.Close()

	// A call comes to be: it has a queue, which the handler observes, and a tone stream.
	q, err := queue.New("leg-1", queue.Blocking(playUntilStopped), queue.WithObserver(handler))
	if err != nil {
		panic(err)
	}
	call, err := handler.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: "bot-1",
		State: graph.State{Call: graph.Established},
	})
	if err != nil {
		panic(err)
	}
	printBatch(<-delivered)

	url := server.URL + "/media/v1.0/communications/calls/" + call.ID().String()
	fmt.Println(postAs(url+"/playPrompt", `{"clientContext": "welcome", "prompts": [{
		"@odata.type": "#microsoft.graph.mediaPrompt",
		"mediaInfo": {"@odata.type": "#microsoft.graph.mediaInfo", "uri": "https://cdn.contoso.com/welcome.wav"}
	}]}`))
	fmt.Println(postAs(url+"/cancelMediaProcessing", `{}`))
	printBatch(<-delivered)

	// The caller hangs up.
	if err := call.Detach(graph.ConversationEnded()); err != nil {
		panic(err)
	}
	printBatch(<-delivered)
	if err := handler.Shutdown(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// updated call established
	// playPrompt: 200
	// cancelMediaProcessing: 200
	// deleted playPromptOperation failed 400/8508 Action failed, the operation was cancelled.
	// deleted call terminated 200/5001 The conversation has ended.
}

// Who makes a request is for the platform to say: this one has a table of tokens. An error is
// answered with 401 and its text stays here; one that is ErrUnavailable is answered with 503.
func ExamplePlatform() {
	applications := map[string]graph.Application{
		"t0k3n": {ID: "2891555a-92ff-42e6-80fa-6e1300c6b5c6", Roles: []string{graph.RoleInitiate}},
	}
	handler, err := graph.New(graph.Platform{
		Authenticate: func(r *http.Request) (graph.Application, error) {
			token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				return graph.Application{}, errors.New("no bearer token")
			}
			app, ok := applications[token] // or: the claims appid and roles of a verified JWT
			if !ok {
				return graph.Application{}, errors.New("unknown token")
			}
			return app, nil
		},
	})
	if err != nil {
		panic(err)
	}
	for _, token := range []string{"", "guessed", "t0k3n"} {
		r := httptest.NewRequest(http.MethodGet, "/v1.0/communications/calls/57dab8b1", nil) //nolint:noctx // an example
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 401 Bearer
	// 401 Bearer error="invalid_token"
	// 404
}

// A platform that lets bots create calls attaches them with the NewCall that it gets: then no
// notification of a call comes before the bot knows its id.
func ExampleNewCall_Attach() {
	delivered := make(chan string, 10)
	var handler *graph.Handler
	handler, err := graph.New(graph.Platform{
		Authenticate: func(*http.Request) (graph.Application, error) {
			return graph.Application{ID: "bot-1", Roles: []string{graph.RoleInitiate}}, nil
		},
		CreateCall: func(_ context.Context, n graph.NewCall) (*graph.Call, error) {
			q, err := queue.New("leg-2", queue.Blocking(playUntilStopped), queue.WithObserver(handler))
			if err != nil {
				return nil, err
			}
			// The call is established later, with Call.SetState.
			return n.Attach(graph.Attachment{
				Queue: q, Tones: new(tone.Stream), Application: n.Application.ID,
				CallbackURI: n.CallbackURI, Resource: n.Resource,
			})
		},
		HangUp: func(_ context.Context, c *graph.Call) error {
			return c.Detach(graph.ConversationEnded())
		},
		Deliver: func(_ context.Context, d webhook.Delivery) error {
			delivered <- string(d.Body)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	fmt.Println(postAs(server.URL+"/v1.0/communications/calls", `{
		"@odata.type": "#microsoft.graph.call", "callbackUri": "https://bot.contoso.com/callback",
		"targets": [{"identity": {"phone": {"id": "+12345678901"}}}],
		"requestedModalities": ["audio"],
		"mediaConfig": {"@odata.type": "#microsoft.graph.serviceHostedMediaConfig"}
	}`))
	if err := handler.Shutdown(context.Background()); err != nil { // everything was delivered
		panic(err)
	}
	printBatch(<-delivered)
	// Output:
	// calls: 201
	// updated call establishing
}

// playUntilStopped is a media that plays until it is stopped.
func playUntilStopped(ctx context.Context, _ queue.Active) (operation.Result, error) {
	<-ctx.Done()
	return operation.Result{}, nil
}

// postAs is the bot: it says what it asked for, and the answer's status.
func postAs(url, body string) string {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		panic(err)
	}
	return fmt.Sprint(url[strings.LastIndexByte(url, '/')+1:], ": ", answer.StatusCode)
}

// printBatch is the bot as well: it prints what it was notified of.
func printBatch(body string) {
	var batch struct {
		Value []struct {
			ChangeType   string
			ResourceData struct {
				Type       string `json:"@odata.type"`
				State      string
				Status     string
				ResultInfo *struct {
					Code, Subcode int
					Message       string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &batch); err != nil {
		panic(err)
	}
	for _, n := range batch.Value {
		d := n.ResourceData
		fmt.Print(n.ChangeType, " ", strings.TrimPrefix(d.Type, "#microsoft.graph."), " ", d.State+d.Status)
		if d.ResultInfo != nil {
			fmt.Printf(" %d/%d %s", d.ResultInfo.Code, d.ResultInfo.Subcode, d.ResultInfo.Message)
		}
		fmt.Println()
	}
}
