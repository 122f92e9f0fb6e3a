module ivrqueue

go 1.26

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/google/uuid v1.6.0
	github.com/looplab/fsm v1.0.3
	go.uber.org/goleak v1.3.0
	pgregory.net/rapid v1.3.0
)
