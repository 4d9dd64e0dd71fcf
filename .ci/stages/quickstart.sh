#!/usr/bin/env bash
# The first command of the README works, in an empty directory.
source "$(dirname "$0")/../lib.sh"

if [[ ! -d examples/quickstart ]]; then skip "no examples/quickstart"; fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/quickstart" ./examples/quickstart
cd "$dir"
timeout 60 ./quickstart
