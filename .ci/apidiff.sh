#!/usr/bin/env bash
# What changed in the exported API of the root module since BASE, for CHANGELOG.
# BASE  a commit (the newest tag, else the commit before this one)
source "$(dirname "$0")/lib.sh"

base=${BASE:-$(git describe --tags --abbrev=0 2>/dev/null || echo HEAD~1)}
apidiff=$(tool apidiff)
dir=$(mktemp -d)
trap 'git worktree remove --force "$dir/base"; rm -rf "$dir"' EXIT
git worktree add --quiet --detach "$dir/base" "$base"
module=$(GOWORK=off go list -m)
export GOWORK=off
(cd "$dir/base" && "$apidiff" -m -w "$dir/base.api" "$module")
echo "since $base:"
"$apidiff" -m "$dir/base.api" "$module"
