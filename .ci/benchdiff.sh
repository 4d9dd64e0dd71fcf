#!/usr/bin/env bash
# Benchmarks of this commit beside those of BASE, measured by turns. Fails if a
# benchmark allocates more often than before; times are for the reader only, as
# machines that run other work disturb them.
# BASE   a commit (the merge base with origin/main, else the commit before this one)
# BENCH  as of go test -bench (Append|Get|Create|List|Sweep)
# COUNT  rounds (6)
source "$(dirname "$0")/lib.sh"

base=${BASE:-$(git merge-base HEAD origin/main 2>/dev/null || echo HEAD~1)}
benchstat=$(tool benchstat)
dir=$(mktemp -d)
trap 'git worktree remove --force "$dir/base"; rm -rf "$dir"' EXIT
git worktree add --quiet --detach "$dir/base" "$base"
export GOWORK=off
go test -c -o "$dir/new.test" .
(cd "$dir/base" && go test -c -o "$dir/old.test" .)

measure() {
	"$dir/$1.test" -test.run='^$' -test.bench="${BENCH:-Append|Get|Create|List|Sweep}" \
		-test.benchmem -test.benchtime="${BENCHTIME:-100ms}" >>"$dir/$1.txt"
}
for ((round = 0; round < ${COUNT:-6}; round++)); do
	(cd "$dir/base" && measure old)
	measure new
done
echo "since $(git rev-parse --short "$base"):"
(cd "$dir" && "$benchstat" old.txt new.txt)

# The section of allocs/op has name, old, ±, new, ±, change, p. A change of up to
# 2 % is how many calls shared a commit, which the machine decides.
(cd "$dir" && "$benchstat" -format csv old.txt new.txt 2>/dev/null) | awk -F, '
	/^,/ { section = $2 }
	section == "allocs/op" && $1 != "geomean" && $6 ~ /^\+/ && $6 + 0 > 2 {
		print $1 " allocates more: " $2 ", now " $4
		worse = 1
	}
	END { exit worse }'
