#!/usr/bin/env bash
# Sizes of files, functions and the root package; no test that sleeps on the wall clock.
source "$(dirname "$0")/../lib.sh"

limits=$(tool limits)
"$limits" .
