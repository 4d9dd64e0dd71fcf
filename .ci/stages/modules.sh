#!/usr/bin/env bash
# Each module except the tools is in go.work, so that one checkout builds against
# itself, and each is watched for updates.
source "$(dirname "$0")/../lib.sh"

used=$(go work edit -json | sed -n 's/.*"DiskPath": "\(.*\)".*/\1/p' | sed 's|^\./||' | LC_ALL=C sort)
present=$(modules | while read -r m; do if joined "$m"; then echo "${m#./}"; fi; done | LC_ALL=C sort)
diff <(echo "$present") <(echo "$used") || {
	echo "go.work (right) does not list exactly the modules of this repository (left)"
	exit 1
}
echo "$present"

watched=$(sed -n '/gomod/,/schedule/s|^ *- /||p' .github/dependabot.yml | sed 's|^$|.|' | LC_ALL=C sort)
diff <(modules | sed 's|^\./||' | LC_ALL=C sort) <(echo "$watched") || {
	echo ".github/dependabot.yml (right) does not list exactly the modules of this repository (left)"
	exit 1
}
