#!/usr/bin/env bash
# The packages of .ci/coverage.txt are covered by their own tests, which for the
# root package include storetest.
# Leaves the profile in coverage.out, and the coverage of each function in bin/coverage.txt.
source "$(dirname "$0")/../lib.sh"

module=$(GOWORK=off go list -m)
profile=$ROOT/coverage.out
floors() { grep -v '^#' "$ROOT/.ci/coverage.txt"; }

covered=$(floors | awk -v m="$module" '{ print ($1 == "." ? m : m "/" $1) }' | paste -sd,)
packages=$(floors | awk '{ print $1 == "." ? "." : "./" $1 }')
# shellcheck disable=SC2086 # several packages
go test -coverpkg="$covered" -coverprofile="$profile" $packages
mkdir -p bin
go tool cover -func="$profile" >bin/coverage.txt

# A block appears once for each test binary; it is covered if any of them ran it.
measured=$(awk '
	NR > 1 { statements[$1] = $2; if ($3 > 0) hit[$1] = 1 }
	END {
		for (block in statements) {
			package = block
			sub(/\/[^\/]*$/, "", package)
			total[package] += statements[block]
			if (block in hit) done[package] += statements[block]
		}
		for (package in total) print package, 100 * done[package] / total[package]
	}' "$profile")

floors | awk -v m="$module" '
	NR == FNR { have[$1] = $2; next }
	{
		package = $1 == "." ? m : m "/" $1
		word = have[package] + 0 >= $2 ? "ok" : "TOO LOW"
		if (word != "ok") failed = 1
		printf "%-50s %6.2f %% of statements, at least %s %%  %s\n", package, have[package], $2, word
	}
	END { exit failed }' <(echo "$measured") -
