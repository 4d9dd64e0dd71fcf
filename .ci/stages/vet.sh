#!/usr/bin/env bash
# go vet finds nothing in the workspace.
source "$(dirname "$0")/../lib.sh"

each go vet ./...
