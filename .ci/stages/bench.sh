#!/usr/bin/env bash
# Each benchmark runs.
# BENCHTIME  as of go test -benchtime (1x)
source "$(dirname "$0")/../lib.sh"

bench() {
	local packages
	packages=$(listed '^Benchmark') || return 1
	if [[ -z $packages ]]; then return; fi
	cut -d' ' -f1 <<<"$packages" | uniq |
		xargs go test -run='^$' -bench=. -benchmem -benchtime="${BENCHTIME:-1x}"
}

failed=0
for m in $(modules); do
	echo "-- ${m#./}"
	(enter "$m" && bench) || failed=1
done
exit $failed
