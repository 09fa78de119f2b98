#!/usr/bin/env bash
# Sets up the machine (Debian 12), builds the benchmarks and measures whole nodes against what the machine allows; see
# benchmarks/node/measure.py, which gets the arguments.
#
#   cmake/bench.sh                          five rounds of everything, about 35 minutes
#   cmake/bench.sh --quick --rounds 1       a short look
#   cmake/bench.sh --only 'direct sends'    one kind of load
#   cmake/bench.sh paths [...]              two nodes over slow and lossy paths (benchmarks/node/paths.py); wants root
#   cmake/bench.sh scale --update           large networks in virtual time and a node with a thousand neighbours; renews
#                                           benchmarks/SCALE.md (benchmarks/scale/run.py), about a quarter of an hour
#
# The results are in build/bench-results: results.md, results.json and plots. The parts of the library alone:
# build/bench/benchmarks/micro.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$project/cmake/build.sh" bench >&2
script=node/measure.py
out=$project/build/bench-results
case ${1:-} in
  paths) script=node/paths.py && shift ;;
  scale) script=scale/run.py && out+=/scale && shift ;;
esac
exec python3 "$project/benchmarks/$script" --axld "$project/build/bench/daemon/axld" --tools "$project/build/bench/benchmarks" --out "$out" "$@"
