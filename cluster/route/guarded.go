package route

import (
	"net/http"

	"ivrqueue/cluster/callid"
)

// guarded lets an answer out only if the node has the right to give one at that instant.
type guarded struct {
	http.ResponseWriter

	router  *Router
	owner   callid.Owner
	request *http.Request
	state   guardState
}

type guardState uint8

const (
	unanswered guardState = iota
	allowed
	refused
)

func (g *guarded) WriteHeader(status int) {
	if g.state != unanswered || status < http.StatusOK {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	if now, ok := g.router.options.Owner(); ok && now == g.owner {
		g.state = allowed
		g.ResponseWriter.WriteHeader(status)
		return
	}
	g.state = refused
	clear(g.Header())
	g.router.refuse(g.ResponseWriter, g.request)
}

func (g *guarded) Write(p []byte) (int, error) {
	if g.state == unanswered {
		g.WriteHeader(http.StatusOK)
	}
	if g.state == refused {
		return len(p), nil
	}
	return g.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (g *guarded) Unwrap() http.ResponseWriter { return g.ResponseWriter }
