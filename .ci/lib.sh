# shellcheck shell=bash
# Shared by the stages: which modules there are, how to reach the tools, how to skip.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
export ROOT
SKIPPED=77 # a stage's exit status for "could not run here"

# modules prints the directory of each module, the root first.
modules() {
	find . -name go.mod -not -path './.*/*' -not -path '*/testdata/*' -exec dirname {} \; | LC_ALL=C sort
}

# joined says whether go.work lists the module: the tools are alone on purpose.
joined() {
	[[ $1 != ./tools && $1 != ./tools/* ]]
}

# enter changes to a module and sets how the go command sees the others.
enter() {
	cd "$ROOT/$1"
	if joined "$1"; then unset GOWORK; else export GOWORK=off; fi
}

# each runs a command inside each module, says how long each took, and fails at
# the end if any failed.
each() {
	local m began word failed=0
	for m in $(modules); do
		echo "-- ${m#./}: $*"
		began=$SECONDS
		word=ok
		(enter "$m" && "$@") || word=FAILED failed=1
		echo "-- ${m#./}: $word after $((SECONDS - began)) s, $SECONDS s in all"
	done
	return $failed
}

# tool prints the path of a pinned developer tool, built on first use.
tool() {
	local m package
	for m in tools tools/lint; do
		package=$(cd "$ROOT/$m" && GOWORK=off go list tool ./... | grep "/$1\$") || continue
		(cd "$ROOT/$m" && GOWORK=off go build -o "$ROOT/bin/" "$package") >&2
		echo "$ROOT/bin/$1"
		return
	done
	echo "no module of tools/ pins $1" >&2
	return 1
}

# skip ends a stage that cannot run here, loudly.
skip() {
	echo "skipped: $*"
	exit "$SKIPPED"
}

# listed prints "package name" for each function of the current module that go test -list finds.
listed() {
	go test -list "$1" ./... | awk '
		$1 == "ok" { for (i = 0; i < n; i++) print $2, name[i]; n = 0; next }
		NF == 1 { name[n++] = $1 }'
}
