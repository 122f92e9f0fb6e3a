package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// token is the bot's. Yours are JWTs, which you verify, or a table.
const token = "secret"

// authenticate says which bot makes a request.
func authenticate(r *http.Request) (graph.Application, error) {
	if got, ok := graph.BearerToken(r); !ok || got != token {
		return graph.Application{}, errors.New("unknown token") // stays here; the client gets 401
	}
	return graph.Application{ID: "bot-1", Roles: []string{graph.RoleInitiate}}, nil
}

// platform makes calls. Its handler observes their queues.
type platform struct{ handler *graph.Handler }

// createCall makes the call that a bot asks for. Here it is established at once; yours dials, and
// calls Call.SetState when somebody answers.
func (p *platform) createCall(_ context.Context, n graph.NewCall) (*graph.Call, error) {
	id := uuid.New() // one name for the call: in logs, in events and on the wire
	q, err := queue.New(id.String(), queue.Blocking(play), queue.WithObserver(p.handler))
	if err != nil {
		return nil, err
	}
	call, err := n.Attach(graph.Attachment{
		ID: id, Queue: q, Tones: new(tone.Stream), // key presses go to the stream
		Application: n.Application.ID, CallbackURI: n.CallbackURI, Resource: n.Resource,
		State: graph.State{Call: graph.Established},
	})
	if err != nil {
		q.Close(err)
	}
	return call, err
}

// hangUp ends a call: Detach closes its queue, ends its tones, and tells the bot.
func hangUp(_ context.Context, c *graph.Call) error { return c.Detach(graph.ConversationEnded()) }

// play is the media: it plays until it is ended.
func play(ctx context.Context, op queue.Active) (operation.Result, error) {
	<-ctx.Done()
	return operation.Result{}, op.Err()
}
