#!/usr/bin/env bash
# Each module builds and vets without the workspace, as its importers see it.
source "$(dirname "$0")/../lib.sh"

export GOWORK=off
for m in $(modules); do
	echo "-- ${m#./}"
	go -C "$m" build -o /dev/null ./...
	go -C "$m" vet ./...
done
