SHELL := /bin/bash

# For make bench and make profile; for make profile, PKG is one package.
BENCH ?= .
PKG ?= ./...
COUNT ?= 1

.PHONY: help test check client bench scale cover fuzz fmt lint build-matrix profile apidiff

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## all tests of all modules, with the race detector, in random order
	@bash .ci/stages/test.sh

check: ## everything that a change must pass, as CI runs it
	@bash .ci/run

client: ## a client generated from openapi.json calls every route (needs node and npm)
	@bash .ci/stages/client.sh

bench: ## benchmarks of the root module (BENCH=regexp PKG=./driver/... COUNT=10)
	go test -run='^$$' -bench='$(BENCH)' -benchmem -count=$(COUNT) $(PKG)

scale: ## a million sessions against ten thousand: what calls read, and how long they take
	SESHAT_SCALE=1 go test -count=1 -v -timeout=60m ./internal/scale

cover: ## coverage of the root module against its floors, by function in bin/coverage.txt
	@bash .ci/stages/coverage.sh

fuzz: ## each fuzz target for a while (FUZZTIME=60 FUZZ_BUDGET=3600, in seconds)
	@bash .ci/stages/fuzz.sh

fmt: ## format all code
	@source .ci/lib.sh && "$$(tool gofumpt)" -w .

lint: ## formatting, sizes, requirements, go vet, staticcheck
	@bash .ci/run format limits modules requires tidy vet staticcheck

build-matrix: ## build and vet for the platforms that are not tested
	@bash .ci/stages/matrix.sh

profile: ## where a benchmark spends its time (BENCH=BenchmarkAppend PKG=.)
	@mkdir -p bin
	go test -run='^$$' -bench='$(BENCH)' -cpuprofile=bin/cpu.prof -memprofile=bin/mem.prof -o bin/profile.test $(PKG)
	go tool pprof -top -nodecount=30 bin/profile.test bin/cpu.prof

apidiff: ## what changed in the exported API (BASE=commit, default the newest tag)
	@bash .ci/apidiff.sh
