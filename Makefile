# What CI runs is what make runs: .ci/run calls these targets.

# The modules that others link, and those that serve this repository.
LINKED    = . cluster media otelqueue sip
OWN       = bench examples tools/api tools/modpath
EACH      = set -e; for m in $(LINKED) $(OWN); do echo "-- $$m"; cd $$m && export GOWORK=off;
DONE      = cd - >/dev/null; done

LINT      = bin/golangci-lint
FUZZTIME ?= 20s

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: test
test: ## the tests of every module, as the README has them
	go test -timeout 30m work

.PHONY: quick
quick: ## what to run all day, in under two minutes: formatted, vetted, tested
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }
	go vet work
	go test -vet=off -p=4 $$(go list work | grep -v -e /cluster -e /bench) # those take their time

EXAMPLES ?= ./examples/... ./bench/...

.PHONY: race
race: ## the tests under the race detector, in random order, save those of one goroutine
	go test -race -shuffle=on -timeout 20m -skip '^TestTheExplorer' ./...
	@# The simulations of leases have one goroutine.
	go test -race -shuffle=on -timeout 20m -p 2 -skip '^Test(TheExplorer|TheHunt|Simulation|ASeedReplays)' ./cluster/...
	go test -race -shuffle=on -timeout 20m -p 2 ./media/... ./otelqueue/... ./sip/... $(EXAMPLES)

.PHONY: nowork
nowork: ## each module compiles by itself, tests too
	@$(EACH) go vet ./...; $(DONE)

.PHONY: portable
portable: ## the engine's tests with 32-bit words; what others link compiles for these, and for macOS on arm64
	@# Where the kernel does not run 386 programs, those of arm are emulated (Debian: qemu-user), but
	@# for the storms: they take minutes there. Go's do not run in the emulation of a 386.
	export CGO_ENABLED=0 GOARCH=386 emulator= skip=^TestTheExplorer; go test -run '^$$' ./tone >/dev/null 2>&1 || \
		{ GOARCH=arm emulator="-exec qemu-arm" SIM_SEEDS=100 STRESS_SCENES=20 SCRIPTS=50 LINEAR_HISTORIES=50; \
			export SIM_SEEDS STRESS_SCENES SCRIPTS LINEAR_HISTORIES; echo "this kernel does not run 386 programs"; \
			skip='^TestTheExplorer|DeadCallbacksDelay|ListNeverShowsHalf|CancelStorms|ReadFromItsAnswer'; }; \
	go test $$emulator -timeout 30m -skip "$$skip" ./tone ./operation ./queue/... ./egress ./webhook ./graph/... && \
	go build ./... ./media/... ./sip/...
	CGO_ENABLED=0 GOARCH=arm64 GOOS=darwin go build ./... ./media/... ./sip/...

.PHONY: vet
vet: ## go vet
	go vet work

.PHONY: lint
lint: $(LINT) ## golangci-lint, and its formatters
	$(LINT) run --allow-parallel-runners ./... $(patsubst %,./%/...,$(filter-out .,$(LINKED) $(OWN)))

.PHONY: fmt
fmt: $(LINT) ## format everything
	$(LINT) fmt

$(LINT): tools/go.mod
	cd tools && GOWORK=off go build -o ../$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: tidy
tidy: ## the go.mod files say what is used, and no more
	@$(EACH) go mod tidy -diff; $(DONE)

.PHONY: generate
generate: ## draw the state diagram of the docs again, the tables of the machine, of the endpoints, and of the mutants
	go run ./internal/diagram
	MACHINE_TABLE=write go test -count=1 -run TestTheDocsHaveTheMachine ./queue
	ENDPOINTS=write go test -count=1 -run TestTheDocsListTheEndpoints ./graph
	go run ./internal/mutants -table

.PHONY: api
api: ## write the exported API to api/: what a change of it must be meant to change
	go run ./tools/api -write $(LINKED)

.PHONY: apicheck
apicheck: ## the exported API is what api/ has
	go run ./tools/api $(LINKED)

.PHONY: modpath
modpath: ## a copy with a public path builds, passes its tests, and is linked by version
	cd tools/modpath && go test -count=1 -tags adopt -run TestTheRepositoryCanBeAdopted -timeout 20m .

.PHONY: workflows
workflows: ## the workflows of .github are well formed
	GOWORK=off go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# The database comes from its own module: this asks the Go module proxy, and nobody else. Faults of
# the standard library are those of Go's newest patch release, which the module proxy has, too.
.PHONY: vulncheck
vulncheck: ## nothing with a known vulnerability is reached, with the newest patch release of Go
	@mkdir -p bin; rm -rf bin/vulndb; \
	data=$$(cd / && go mod download -json golang.org/x/vulndb@latest | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/data/osv; \
	go run golang.org/x/vulndb/cmd/indexdb@latest -vulns "$$data" -out bin/vulndb; \
	db=file://$(CURDIR)/bin/vulndb; minor=$$(go env GOVERSION | sed -E 's/go([0-9]+\.[0-9]+).*/\1/'); \
	export GOTOOLCHAIN=go$$(cd / && go list -m -versions go | tr ' ' '\n' | grep "^$$minor\.[0-9]*$$" | tail -1); \
	echo "$$GOTOOLCHAIN, $$(ls "$$data" | wc -l) entries"; \
	$(EACH) go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 -db "$$db" ./...; $(DONE)

.PHONY: sbom
sbom: ## what each module that others link consists of, as CycloneDX: bin/sbom
	@mkdir -p bin/sbom; to=$$(pwd)/bin/sbom; set -e; for m in $(LINKED); do \
		(cd $$m && GOWORK=off go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0 \
			mod -json -output $$to/$$(basename $$(pwd)).json .); done

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (default 20s); with PART=1/6 every sixth one
	@set -e; part=$(or $(PART),1/1); i=0; \
	for f in $$(grep -rlE '^func Fuzz' --include=*_test.go . | sort); do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' $$f); do \
			i=$$((i + 1)); [ $$(((i - 1) % $${part#*/} + 1)) = $${part%/*} ] || continue; \
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
mutants: ## each small break of the code turns its test red; with PART=1/6 every sixth one
	go run ./internal/mutants $(if $(PART),-part $(PART))

.PHONY: scripts
scripts: ## SCRIPTS random scripts (default 2000) in each form of delivery, against the bare machine
	SCRIPTS=$(SCRIPTS) go test -count=1 -run TestScriptsAgreeWithTheMachine -timeout 1h ./queue

.PHONY: histories
histories: ## HISTORIES histories of concurrent calls (default 500), simulated and real, are linearizable
	LINEAR_HISTORIES=$(HISTORIES) go test -count=1 -v -run HistoriesAreLinearizable -timeout 1h ./queue

EXPLORE ?= deep

.PHONY: explore
explore: ## every state that the machine reaches in a small call, and broken machines that it must find
	EXPLORE=$(EXPLORE) go test -count=1 -v -run TheExplorer -timeout 1h ./queue

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
	go test -run '^$$' -bench CallsAtOnce -benchtime 10x ./media

CALLS ?= 20000

.PHONY: calls
calls: ## CALLS calls (default 20000) live and die in the service, and leave nothing behind
	IVR_CALLS=$(CALLS) go test -count=1 -v -run TestCallsLeaveNothingBehind -timeout 20m ./examples/ivr/service

.PHONY: attacks
attacks: ## what means ill is thrown at a service whose memory is limited; needs Linux
	go run ./examples/ivr/attacks

.PHONY: otelcost
otelcost: ## with OpenTelemetry's observer an operation costs no more than a fifth above the SDK's own span
	cd otelqueue && go test -run '^$$' -bench Observer -benchtime 60x

.PHONY: demo
demo: ## a bot's call over HTTP, and what was heard in it
	go run ./examples/ivr

.PHONY: softphone
softphone: ## the lines of docs/phones.md with a softphone; needs the Debian package baresip
	go test -tags phones -count=1 -v -run Softphone ./examples/ivr

.PHONY: jsbot
jsbot: ## a bot on Microsoft's JavaScript client, over TLS, against the service; needs Node.js
	cd examples/ivr/jsbot && npm ci --no-audit --no-fund && npm start

.PHONY: cluster
cluster: ## nodes of a cluster are killed, stopped and, as root, cut off: all ends are delivered in 5 s
	cd cluster && go build -o ../bin/failtest ./failtest
	bin/failtest -rounds 2 -calls 500 -faults kill,stop$(if $(ROOT),$(COMMA)partition -netns)

ROUNDS ?= 20
ROOT    = $(filter 0,$(shell id -u))
COMMA   = ,

.PHONY: cluster-long
cluster-long: ## ROUNDS rounds (default 20) of each with 1,000 calls, then what takes longer; as root, with full disks
	cd cluster && go build -o ../bin/failtest ./failtest
	bin/failtest -rounds $(ROUNDS) -calls 1000 $(if $(ROOT),-netns)
	bin/failtest -rounds 3 -faults away,roll$(if $(ROOT),$(COMMA)full)
	bin/failtest -rounds 1 -faults join

.PHONY: leases
leases: ## the machine of the leases: SEEDS simulated clusters, and a small one with every three faults
	MEMBER_SEEDS=$(SEEDS) EXPLORE=$(EXPLORE) go test -count=1 -v -timeout 24h \
		-run 'TestSimulation|TestTheHunt|TestTheExplorer' ./cluster/member

.PHONY: browser
browser: ## the inspector's page in headless Chromium, with mouse and keyboard, and 2,000 calls; needs Node.js
	cd inspect/browser && npm ci --no-audit --no-fund && npm test

.PHONY: screenshots
screenshots: ## the pictures of docs/inspector.md; needs Node.js and Chromium
	mkdir -p docs/img
	cd inspect/browser && npm ci --no-audit --no-fund && npm run screenshots -- $(CURDIR)/docs/img
	if command -v pngquant >/dev/null; then pngquant --force --ext .png 96 docs/img/inspector-*.png; fi

# Telephones are real time: they run before other things, if that is allowed. (Not by a real-time
# class: a program that spins would stop the machine.)
REALTIME = $(shell nice -n -10 true 2>/dev/null && echo nice -n -10)

.PHONY: phones
phones: ## telephones call, of the Debian packages baresip and sip-tester; in under two minutes
	go test -c -tags phones -o bin/phones.test ./sip/phonetest
	cd sip/phonetest && $(REALTIME) ../../bin/phones.test -test.parallel 16 -test.timeout 10m

PHONELOAD ?= -calls 200 -for 60s -cancels 200 -flood 10s -churn 10000

.PHONY: phoneload
phoneload: ## calls by SIP beside a bare sender, cancels, a flood, calls that come and go: PHONELOAD are its flags
	go build -o bin/phoneload ./sip/phoneload
	$(REALTIME) bin/phoneload $(PHONELOAD)

.PHONY: ci
ci: ## everything a push must pass
	.ci/run
