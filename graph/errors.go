package graph

import "errors"

var (
	// ErrShutDown is returned by Attach once Shutdown was called.
	ErrShutDown = errors.New("graph: shut down")

	// ErrAttached is returned by Attach for a wire id that is taken, and a queue that is attached.
	ErrAttached = errors.New("graph: already attached")

	// ErrDetached is returned of a call that was detached.
	ErrDetached = errors.New("graph: detached")

	// ErrUnavailable is for the platform's functions to return, alone or wrapped: the request is
	// answered with 503, and the client may come again.
	ErrUnavailable = errors.New("graph: unavailable")
)
