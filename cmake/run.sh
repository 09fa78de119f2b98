#!/usr/bin/env bash
# Sets up the machine (Debian 12), builds axld and runs it: the demo without arguments, else axld with the arguments given.
#
#   cmake/run.sh                      two nodes talking on this machine, and curl lines to paste
#   cmake/run.sh -config FILE         a node of your own
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# To stderr: stdout belongs to axld.
"$project/cmake/build.sh" release axld >&2
[ $# -gt 0 ] || set -- --demo
exec "$project/build/release/daemon/axld" "$@"
