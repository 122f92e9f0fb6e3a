# What CI runs is what make runs: .ci/run calls these targets.

LINT      = bin/golangci-lint
FUZZTIME ?= 20s

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: test
test: ## the tests, as the README has them
	go test ./... ./examples/...

.PHONY: quick
quick: ## what to run all day, in under two minutes: formatted, vetted, tested
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }
	go vet ./... ./examples/... ./bench/...
	go test ./... ./examples/...

.PHONY: race
race: ## the tests under the race detector, in random order
	go test -race -shuffle=on ./...
	go test -race -shuffle=on -p 1 ./examples/... ./bench/...

.PHONY: nowork
nowork: ## each module by itself
	GOWORK=off go build ./... && GOWORK=off go vet ./... && GOWORK=off go test ./...
	cd examples && GOWORK=off go build ./... && GOWORK=off go vet ./...

.PHONY: portable
portable: ## the engine's tests with 32-bit words; everything compiles for 386 and arm64
	CGO_ENABLED=0 GOARCH=386 go test ./tone ./operation ./queue/... ./graph/...
	CGO_ENABLED=0 GOARCH=386 go vet ./... ./examples/...
	CGO_ENABLED=0 GOARCH=arm64 go vet ./... ./examples/...

.PHONY: vet
vet: ## go vet
	go vet ./... ./examples/... ./bench/...

.PHONY: lint
lint: $(LINT) ## golangci-lint, and its formatters
	$(LINT) run ./... ./examples/... ./bench/...

.PHONY: fmt
fmt: $(LINT) ## format everything
	$(LINT) fmt

$(LINT): tools/go.mod
	cd tools && GOWORK=off go build -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: tidy
tidy: ## the go.mod files say what is used, and no more
	GOWORK=off go mod tidy -diff
	cd examples && GOWORK=off go mod tidy -diff
	cd bench && GOWORK=off go mod tidy -diff

.PHONY: generate
generate: ## draw the state diagram of the docs again, the tables of the machine, and that of the mutants
	go run ./internal/diagram
	MACHINE_TABLE=write go test -count=1 -run TestTheDocsHaveTheMachine ./queue
	go run ./internal/mutants -table

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 20s)
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include=*_test.go .); do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' $$f); do \
			echo "$$(dirname $$f) $$name"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$(dirname $$f); \
		done; done

SEEDS     ?= 5000
FIRST     ?= 0
SCENES    ?= 3000
SOAK      ?= 10m
SCRIPTS   ?= 2000
HISTORIES ?= 500

.PHONY: sim
sim: ## SEEDS simulated calls (default 5000) from FIRST on, with every fault; each seed replays
	SIM_SEEDS=$(SEEDS) SIM_FIRST=$(FIRST) go test -count=1 -v -run 'TestSimulation|TestASeedReplays' -timeout 24h ./queue

.PHONY: stress
stress: ## SCENES calls (default 3000) in real time under the race detector, on 1, 2 and 4 processors
	STRESS_SCENES=$(SCENES) go test -race -cpu 1,2,4 -count=1 -run TestStress -timeout 24h ./queue

.PHONY: soak
soak: ## calls live and die for SOAK (default 10m): no end, no byte, no goroutine is left over
	GOEXPERIMENT=goroutineleakprofile SOAK=$(SOAK) go test -count=1 -v -run TestSoak -timeout 24h ./queue

.PHONY: mutants
mutants: ## each small break of the engine turns its test red
	go run ./internal/mutants

.PHONY: scripts
scripts: ## SCRIPTS random scripts (default 2000) in each form of delivery, against the bare machine
	go test -count=1 -run TestScriptsAgreeWithTheMachine ./queue -rapid.checks=$(SCRIPTS)

.PHONY: histories
histories: ## HISTORIES histories of concurrent calls (default 500), simulated and real, are linearizable
	LINEAR_HISTORIES=$(HISTORIES) go test -count=1 -v -run HistoriesAreLinearizable ./queue

.PHONY: explore
explore: ## every state that the machine reaches in a small call, and broken machines that it must find
	EXPLORE=deep go test -count=1 -v -run TheExplorer -timeout 1h ./queue

.PHONY: bench
bench: ## the micro benchmarks beside the code, then the same work by us, by hand, by peers and by the baseline
	go test -run '^$$' -bench . -benchmem ./...
	GODEBUG=madvdontneed=0 go test -run '^$$' -bench . ./bench # as the report does

.PHONY: report
report: ## measure everything beside others, and write docs/performance.md: which budgets are met
	go run ./bench/report

.PHONY: perfcheck
perfcheck: ## nothing is slower by a quarter than the commit in bench/reference, run beside it
	go build -o bin/perfcheck ./bench/perfcheck
	bin/perfcheck

.PHONY: million
million: ## a million idle calls at once, step by step
	go run ./bench/million

.PHONY: load
load: ## 1,000 calls and more at once on the soft engine: how late frames are, and what a call costs
	go test -run '^$$' -bench CallsAtOnce -benchtime 10x ./examples/internal/softmedia

CALLS ?= 20000

.PHONY: calls
calls: ## CALLS calls (default 20000) live and die in the service, and leave nothing behind
	IVR_CALLS=$(CALLS) go test -count=1 -v -run TestCallsLeaveNothingBehind -timeout 20m ./examples/ivr/service

.PHONY: attacks
attacks: ## what means ill is thrown at a service whose memory is limited; needs Linux
	go run ./examples/ivr/attacks

.PHONY: demo
demo: ## a bot's call over HTTP, and what was heard in it
	go run ./examples/ivr

.PHONY: ci
ci: ## everything a push must pass
	.ci/run
