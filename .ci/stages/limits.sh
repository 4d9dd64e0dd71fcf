#!/usr/bin/env bash
# Length of files, functions, comments and lines; packed assignments; comments
# on exported names; no test that sleeps on the wall clock. For a change under
# way, bin/limits -report counts what is left by kind and directory.
source "$(dirname "$0")/../lib.sh"

limits=$(tool limits)
"$limits" .
