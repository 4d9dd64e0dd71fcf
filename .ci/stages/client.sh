#!/usr/bin/env bash
# A client generated from openapi.json, in another language, calls every route of seshat demo.
source "$(dirname "$0")/../lib.sh"

for program in node npm; do
	command -v "$program" >/dev/null || skip "no $program"
done
node -e '
	const [major, minor] = process.versions.node.split(".").map(Number)
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
	skip "node $(node --version) is older than v20.19"

cd sessionhttp/clienttest
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! npm ci --prefer-offline --no-audit --no-fund --fetch-retries=1 --fetch-timeout=20000 >"$log" 2>&1; then
	cat "$log"
	# Only when nobody answered: a lock file that does not fit must fail.
	unreachable='code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT|E50[0-9])'
	if grep -qE "$unreachable" "$log"; then skip "the package registry cannot be reached"; fi
	exit 1
fi
rm -rf generated
npm run --silent generate
npm run --silent build
go build -o "$ROOT/bin/seshat" "$ROOT/cmd/seshat"
SESHAT=$ROOT/bin/seshat npm run --silent test
