package webhook

import (
	"context"
	"fmt"
	"net/http/httptrace"
)

// mayWrite asks whether a delivery may be sent. One that panics forbids it.
func (n *Notifier) mayWrite(d *Delivery) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("webhook: WithPermit panicked: %v", v)
		}
	}()
	return n.config.permit(d)
}

// permitted asks whether a delivery may be sent, and returns a context for its request in which it
// is asked once more when there is a connection: to get one may take long. If it may not be sent
// then, the connection is closed, so that nothing is written, and forbidden returns why.
func (n *Notifier) permitted(
	ctx context.Context, d *Delivery,
) (_ context.Context, forbidden func() error, err error) {
	if n.config.permit == nil {
		return ctx, func() error { return nil }, nil
	}
	if err := n.mayWrite(d); err != nil {
		return nil, nil, permanentError{err}
	}
	var why error // written on the goroutine of the request
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			if err := n.mayWrite(d); err != nil {
				why = permanentError{err}
				_ = got.Conn.Close()
			}
		},
	})
	return ctx, func() error { return why }, nil
}
