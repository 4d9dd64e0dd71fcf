SHELL := /bin/bash

# For make bench and make profile; for make profile, PKG is one package.
BENCH ?= .
PKG ?= ./...
PROFILED = $(if $(filter ./...,$(PKG)),.,$(PKG))
COUNT ?= 1
N ?= 1e4
G ?= 64
T ?= 10m

.PHONY: help test test-push soak evidence check client bench bench-peers bench-postgres load scale cover fuzz fmt lint build-matrix profile apidiff benchdiff

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## all tests of all modules, with the race detector, in random order
	@bash .ci/stages/test.sh

test-push: ## more crash, fault and concurrency tests than test, in about 4 minutes
	cd test && go run ./release -once -mutants=quick

soak: ## test-push with new seeds until T=10m is over or a test fails
	cd test && go run ./release -for=$(T)

evidence: ## soak for T=10m, all planted bugs, and a row in test/EVIDENCE.md
	cd test && go run ./release -for=$(T) -mutants=all -evidence=EVIDENCE.md

check: ## all checks that a change must pass, as in CI
	@bash .ci/run

client: ## a client generated from openapi.json calls every route (needs node and npm)
	@bash .ci/stages/client.sh

bench: ## benchmarks of the root module (BENCH=regexp PKG=./driver/... COUNT=10)
	go test -run='^$$' -bench='$(BENCH)' -benchmem -count=$(COUNT) $(PKG)

bench-peers: ## the same workload on Seshat and its peers; writes bench/RESULTS.md (ARGS=-quick)
	go run ./bench $(ARGS)

bench-postgres: ## PostgreSQL against the embedded store, near and far, and a million sessions; writes postgres/RESULTS.md (ARGS=-large=0)
	go run ./postgres/internal/measure $(ARGS)

load: ## HTTP requests with 100,000 sessions, against a handler of constant bodies (ARGS=-rounds=9)
	go run ./bench/httpload $(ARGS)

scale: ## reads and times of calls with a million sessions against ten thousand
	SESHAT_SCALE=1 go test -C test -count=1 -v -timeout=60m ./scale

cover: ## coverage of the root module against its floors, by function in bin/coverage.txt
	@bash .ci/stages/coverage.sh

fuzz: ## each fuzz target in turn (FUZZTIME=60 FUZZ_BUDGET=3600, in seconds)
	@bash .ci/stages/fuzz.sh

fmt: ## format all code
	@source .ci/lib.sh && "$$(tool gofumpt)" -w .

lint: ## formatting, limits, requirements, go vet, golangci-lint
	@bash .ci/run format limits modules requires tidy vet lint

build-matrix: ## build and vet for the platforms that are not tested
	@bash .ci/stages/matrix.sh

profile: ## profiles of a benchmark: time, allocations, waits (BENCH=BenchmarkAppend PKG=. N=1e5 G=64)
	@mkdir -p bin
	SESHAT_BENCH_N=$(N) SESHAT_BENCH_G=$(G) go test -run='^$$' -bench='$(BENCH)' -cpuprofile=bin/cpu.prof -memprofile=bin/mem.prof \
		-mutexprofile=bin/mutex.prof -o bin/profile.test $(PROFILED)
	go tool pprof -top -nodecount=30 bin/profile.test bin/cpu.prof
	go tool pprof -top -nodecount=20 -sample_index=alloc_objects bin/profile.test bin/mem.prof
	go tool pprof -top -nodecount=10 bin/profile.test bin/mutex.prof

benchdiff: ## benchmarks of this commit against BASE, in turns; fails on more allocations (BENCH=Append COUNT=10)
	@BENCH='$(if $(filter .,$(BENCH)),,$(BENCH))' COUNT='$(if $(filter 1,$(COUNT)),,$(COUNT))' bash .ci/benchdiff.sh

apidiff: ## changes of the exported API (BASE=commit, default the newest tag)
	@bash .ci/apidiff.sh
