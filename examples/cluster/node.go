package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"

	"ivrqueue/cluster"
	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

// node is one process of the platform.
type node struct {
	cluster  *cluster.Node
	handler  *graph.Handler
	notifier *webhook.Notifier
	server   *httptest.Server
	calls    sync.Map // *graph.Call by id
}

// startNode joins the cluster, and serves the Graph API.
func startNode(o cluster.Options) (*node, error) {
	joined, err := cluster.New(o)
	if err != nil {
		return nil, err
	}
	n := &node{cluster: joined}
	n.notifier, err = webhook.New(webhook.WithLoopback(), joined.NotifierOption())
	if err == nil {
		n.handler, err = graph.New(graph.Platform{
			Authenticate: authenticate, CreateCall: n.createCall, HangUp: n.hangUp,
		}, append(joined.GraphOptions(), graph.WithNotifier(n.notifier), graph.WithLogger(quiet))...)
	}
	var front http.Handler
	if err == nil {
		front, err = joined.Start(cluster.Platform{
			Graph: n.handler, HTTP: n.handler, Fenced: n.endFenced,
		})
	}
	if err != nil {
		return nil, errors.Join(err, joined.Close(context.Background()))
	}
	n.server = httptest.NewServer(front) // yours is an http.Server
	return n, nil
}

// end ends the node. For its calls the others notify the bots.
func (n *node) end(ctx context.Context) error {
	n.server.Close()
	err := n.cluster.Close(ctx)
	n.endFenced()
	err = errors.Join(err, n.handler.Shutdown(ctx))
	n.notifier.CloseIdleConnections()
	return err
}

// endFenced ends the calls that are not this node's any more.
func (n *node) endFenced() {
	n.calls.Range(func(id, c any) bool {
		if call := c.(*graph.Call); !n.cluster.Holds(call.ID()) {
			n.calls.Delete(id)
			_ = call.Detach(graph.ConversationEnded()) // there is no bot to notify
		}
		return true
	})
}

func (n *node) createCall(_ context.Context, c graph.NewCall) (*graph.Call, error) {
	q, err := queue.New("call-1", queue.Blocking(play), queue.WithObserver(n.handler))
	if err != nil {
		return nil, err
	}
	call, err := c.Attach(graph.Attachment{
		Queue: q, Tones: new(tone.Stream), Application: c.Application.ID,
		CallbackURI: c.CallbackURI, Resource: c.Resource,
		State: graph.State{Call: graph.Established},
	})
	if err != nil {
		q.Close(err)
		return nil, err
	}
	n.calls.Store(call.ID(), call)
	return call, nil
}

func (n *node) hangUp(_ context.Context, c *graph.Call) error {
	n.calls.Delete(c.ID())
	return c.Detach(graph.ConversationEnded())
}

// token is the bot's.
const token = "secret"

func authenticate(r *http.Request) (graph.Application, error) {
	if got, ok := graph.BearerToken(r); !ok || got != token {
		return graph.Application{}, errors.New("unknown token")
	}
	return graph.Application{ID: "bot-1", Roles: []string{graph.RoleInitiate}}, nil
}

// play is the media. Yours asks [cluster.Node.Holds] before each frame, beside op.Live.
func play(ctx context.Context, op queue.Active) (operation.Result, error) {
	<-ctx.Done()
	return operation.Result{}, op.Err()
}
