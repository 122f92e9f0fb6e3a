module ivrqueue/media

go 1.26.0

require (
	github.com/hashicorp/golang-lru/v2 v2.0.7
	github.com/pquerna/cachecontrol v0.2.0
	github.com/zaf/g711 v1.4.0
	golang.org/x/sync v0.24.0
	ivrqueue v0.0.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/looplab/fsm v1.0.3 // indirect
	go.uber.org/goleak v1.3.0 // indirect
)

replace ivrqueue => ../
