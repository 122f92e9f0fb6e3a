package operation

import "context"

// UntilFailed returns a context that ends with ctx, or when op fails: then with [Operation.Err] as
// cause, a moment after it. That op completes does not end it. It is for what goes on beside an
// operation and after it: the collection of the digits that a prompt asks for ends with a prompt
// that was cancelled, and outlives one that was heard. stop ends it when it is needed no more. It
// costs a goroutine until then, or until op ends. A nil op never fails. A nil ctx panics, as in
// package context.
func UntilFailed(
	ctx context.Context, op *Operation,
) (until context.Context, stop context.CancelFunc) {
	until, cancel := context.WithCancelCause(ctx)
	look := func() {
		if err := op.Err(); err != nil { // to cancel with nil would end it
			cancel(err)
		}
	}
	look()
	forget := context.AfterFunc(op.Context(), look)
	return until, func() {
		forget()
		cancel(nil)
	}
}
