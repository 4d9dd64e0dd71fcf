#!/usr/bin/env bash
# Each fuzz target runs for a short time without a failure.
# FUZZTIME     longest time for one target, in seconds (10)
# FUZZ_BUDGET  time that all targets share, in seconds (240)
source "$(dirname "$0")/../lib.sh"

out=$(mktemp)
trap 'rm -f "$out"' EXIT

# fuzz bounds how often an input is tried to be made smaller: a minute for each new
# one, as by default, would leave no time for others. It tolerates one failure that
# is the go command's own: the end of -fuzztime taken for a failure of the target
# (go.dev/issue/75804). It leaves no failing input behind.
fuzz() {
	local package=$1 name=$2 status=0
	go test -run='^$' -fuzz="^$name\$" -fuzztime="${seconds}s" -fuzzminimizetime=100x "$package" 2>&1 | tee "$out" || status=$?
	if ((status)) && grep -q '^ *context deadline exceeded$' "$out" &&
		! grep -Eq 'Failing input written|panic|_test\.go:' "$out"; then
		echo "$name: only the end of the fuzzing time, no failing input"
		status=0
	fi
	return $status
}

targets=$(for m in $(modules); do (enter "$m" && listed '^Fuzz' | sed "s|^|$m |") || exit; done)
count=$(grep -c . <<<"$targets" || true)
if ((count == 0)); then skip "no fuzz targets"; fi
seconds=${FUZZTIME:-10}
share=$((${FUZZ_BUDGET:-240} / count))
if ((share < seconds)); then seconds=$((share > 1 ? share : 1)); fi
echo "$count targets, ${seconds}s each"

failed=0
while read -r m package name; do
	(enter "$m" && fuzz "$package" "$name") || failed=1
done <<<"$targets"
exit $failed
