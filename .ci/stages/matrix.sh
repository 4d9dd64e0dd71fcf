#!/usr/bin/env bash
# The packages and commands for users build and vet for untested platforms.
# PLATFORMS  space-separated GOOS/GOARCH
source "$(dirname "$0")/../lib.sh"

for platform in ${PLATFORMS:-windows/amd64 darwin/arm64 linux/arm64 linux/386}; do
	export CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/}
	for m in . cmd/seshat; do
		if [[ ! -e $m/go.mod ]]; then continue; fi
		echo "-- $platform ${m#./}"
		(enter "$m" && go build -o /dev/null ./... && go vet ./...)
	done
done
