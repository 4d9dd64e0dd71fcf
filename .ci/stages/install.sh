#!/usr/bin/env bash
# Downloads the modules, and installs the packages that a stage needs and the machine lacks.
source "$(dirname "$0")/../lib.sh"

need() {
	local found=$1
	shift
	if compgen -G "$found" >/dev/null; then return; fi
	echo "installing $*"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

need /usr/bin/gcc gcc libc6-dev # the race detector links with cgo
if [[ -e postgres/go.mod ]]; then
	need '/usr/lib/postgresql/*/bin/initdb' postgresql
	need /usr/sbin/pgbouncer pgbouncer
fi
for m in $(modules); do GOWORK=off go -C "$m" mod download; done
