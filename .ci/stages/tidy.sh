#!/usr/bin/env bash
# go.mod and go.sum are what go mod tidy writes.
source "$(dirname "$0")/../lib.sh"

export GOWORK=off
for m in $(modules); do
	echo "-- ${m#./}"
	go -C "$m" mod tidy -diff
done
