#!/usr/bin/env bash
# staticcheck with the checks of staticcheck.conf.
source "$(dirname "$0")/../lib.sh"

staticcheck=$(tool staticcheck)
each "$staticcheck" ./...
