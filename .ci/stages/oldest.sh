#!/usr/bin/env bash
# The root module builds and vets with the oldest Go that its go.mod claims.
source "$(dirname "$0")/../lib.sh"

claimed=$(awk '$1 == "go" { print $2 }' go.mod)
export GOWORK=off GOTOOLCHAIN=go$claimed
if ! go version; then
	skip "Go $claimed cannot be downloaded here; the oldest version was NOT checked"
fi
go build -o /dev/null ./...
go vet ./...
