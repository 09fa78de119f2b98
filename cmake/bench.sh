#!/usr/bin/env bash
# Sets up the machine (Debian 12), builds the benchmarks and measures whole nodes against what the machine allows; see
# benchmarks/node/measure.py, which gets the arguments.
#
#   cmake/bench.sh                          five rounds of everything, about half an hour
#   cmake/bench.sh --quick --rounds 1       a short look
#   cmake/bench.sh --only 'direct sends'    one kind of load
#
# The results are in build/bench-results: results.md, results.json and plots. The parts of the library alone:
# build/bench/benchmarks/micro, and large networks in virtual time: build/bench/benchmarks/scale.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$project/cmake/build.sh" bench >&2
exec python3 "$project/benchmarks/node/measure.py" --axld "$project/build/bench/daemon/axld" --tools "$project/build/bench/benchmarks" \
  --out "$project/build/bench-results" "$@"
