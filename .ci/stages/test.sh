#!/usr/bin/env bash
# All tests of all modules pass, with the race detector and in random order.
# TESTFLAGS  more flags of go test
source "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2086 # several flags
each go test -race -shuffle=on -timeout=20m ${TESTFLAGS:-} ./...
