module ivrqueue/examples

go 1.25.0

require (
	github.com/go-audio/audio v1.0.0
	github.com/go-audio/wav v1.1.0
	go.uber.org/goleak v1.3.0
	ivrqueue v0.0.0
)

require (
	github.com/go-audio/riff v1.0.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/looplab/fsm v1.0.3 // indirect
)

replace ivrqueue => ../
