#!/usr/bin/env bash
# golangci-lint with the linters of .golangci.yml, in each module.
source "$(dirname "$0")/../lib.sh"

lint=$(tool golangci-lint)
each "$lint" run ./...
