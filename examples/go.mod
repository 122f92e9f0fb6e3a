module ivrqueue/examples

go 1.26

require (
	github.com/coreos/go-oidc/v3 v3.18.0
	github.com/go-jose/go-jose/v4 v4.1.4
	github.com/google/uuid v1.6.0
	github.com/hashicorp/golang-lru/v2 v2.0.7
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.18.0
	ivrqueue v0.0.0
)

require (
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/looplab/fsm v1.0.3 // indirect
	golang.org/x/oauth2 v0.36.0 // indirect
)

replace ivrqueue => ../
