#!/usr/bin/env bash
# Every command that a README shows works in a fresh clone, and leaves it clean.
# .ci/readme.txt says how each is run.
source "$(dirname "$0")/../lib.sh"

(cd tools && GOWORK=off go build -o "$ROOT/bin/readme" ./readme)
bin/readme .
