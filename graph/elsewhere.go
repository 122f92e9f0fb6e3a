package graph

import (
	"context"
	"time"
)

// elsewhereKey finds who writes the answer to a request in its context.
type elsewhereKey struct{}

// answerElsewhere is how long notifications wait for an answer that is written elsewhere.
const answerElsewhere = time.Second

// AnsweredElsewhere returns a context for a request whose answer, written to the
// http.ResponseWriter, is not with the client by then: another process brings it there. If
// notifications wait for the answer, f gets, when the request has been served, the function that
// lets them go, to be called when the client has its answer; it does nothing from the second time
// on. After a second they go in any case. f is called on the goroutine that serves the request and
// must return at once. For a nil f, ctx is returned as it is.
func AnsweredElsewhere(ctx context.Context, f func(answered func())) context.Context {
	if f == nil {
		return ctx
	}
	return context.WithValue(ctx, elsewhereKey{}, f)
}

// answered lets the notifications go that wait for the answer.
func (x *request) answered() {
	f, elsewhere := x.r.Context().Value(elsewhereKey{}).(func(func()))
	if !elsewhere || !x.pending.holds() {
		x.pending.answered()
		return
	}
	timer := time.AfterFunc(answerElsewhere, x.pending.answered)
	f(func() {
		timer.Stop()
		x.pending.answered()
	})
}
