package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"

	"ivrqueue/graph"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// CancelBody is what a bot sends to cancel.
var CancelBody = []byte(`{"clientContext": "d45324c1-fcb5-430a-902c-f20af696537c"}`)

// Service is the Graph API of one call of ours.
type Service struct {
	Handler http.Handler
	Path    string // of the call's cancelMediaProcessing

	queue *queue.Queue
	call  *graph.Call
	stop  func(context.Context) error
	work  *Work
}

// NewService makes a service whose notifications arrive at once.
func NewService() *Service {
	h, err := graph.New(graph.Platform{
		Authenticate: func(*http.Request) (graph.Application, error) {
			return graph.Application{ID: "bot-1"}, nil
		},
		Deliver: func(context.Context, webhook.Delivery) error { return nil },
	}, graph.WithMaxRequests(0))
	if err != nil {
		panic(err)
	}
	q, err := queue.New("call-1", new(lasting), queue.WithObserver(h))
	if err != nil {
		panic(err)
	}
	call, err := h.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: "bot-1",
		State: graph.State{Call: graph.Established},
	})
	if err != nil {
		panic(err)
	}
	return &Service{
		Handler: h, queue: q, call: call, stop: h.Shutdown, work: NewWork(func() {}),
		Path: "/v1.0/communications/calls/" + call.ID().String() + "/cancelMediaProcessing",
	}
}

// Play enqueues what the next request cancels.
func (s *Service) Play() {
	if _, err := s.queue.Enqueue(context.Background(), s.work); err != nil {
		panic(err)
	}
}

// Answer returns the body of an answer.
func (s *Service) Answer() []byte {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(),
		http.MethodPost, s.Path, bytes.NewReader(CancelBody))
	r.Header.Set("Content-Type", "application/json")
	s.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		panic(w.Body.String())
	}
	return w.Body.Bytes()
}

// Close ends the call and the service.
func (s *Service) Close() {
	if err := s.call.Detach(graph.ConversationEnded()); err != nil {
		panic(err)
	}
	s.queue.Close(nil)
	<-s.queue.Done()
	if err := s.stop(context.Background()); err != nil {
		panic(err)
	}
}

// Bare is a handler that does nothing but decode the request and encode an answer like the given
// one: what any service that speaks JSON must do.
func Bare(answer []byte) http.Handler {
	var like struct {
		Context       string `json:"@odata.context"`
		Type          string `json:"@odata.type"`
		ID            string `json:"id"`
		Status        string `json:"status"`
		ClientContext string `json:"clientContext"`
	}
	if err := json.Unmarshal(answer, &like); err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			ClientContext string `json:"clientContext"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply := like
		reply.ClientContext = body.ClientContext
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(&reply); err != nil {
			panic(err)
		}
	})
}
