#!/usr/bin/env bash
# gofumpt has nothing to change.
source "$(dirname "$0")/../lib.sh"

gofumpt=$(tool gofumpt)
unformatted=$("$gofumpt" -l .)
if [[ -n $unformatted ]]; then
	echo "$unformatted"
	echo "not formatted: run make fmt"
	exit 1
fi
