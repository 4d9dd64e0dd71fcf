#!/usr/bin/env bash
# The root module requires only three libraries and their dependencies.
source "$(dirname "$0")/../lib.sh"

want='github.com/oklog/ulid/v2
github.com/vmihailenco/msgpack/v5
go.etcd.io/bbolt'
have=$(GOWORK=off go list -m -f '{{if not (or .Main .Indirect)}}{{.Path}}{{end}}' all | LC_ALL=C sort)
diff <(echo "$want") <(echo "$have") || {
	echo "the direct requirements of the root module (right) are not the three allowed (left)"
	exit 1
}
echo "$have"
