#!/usr/bin/env bash
# Sets up the machine (Debian 12), builds everything and runs the default test suite. Arguments go to ctest.
#
#   cmake/test.sh                     all tests but those labelled `long`
#   cmake/test.sh -R replay           the tests with `replay` in their name
#   AXL_PRESET=asan cmake/test.sh     another preset: asan, tsan
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${AXL_PRESET:-dev}
"$project/cmake/build.sh" "$preset"

# Whoever picks labels picks all of them.
case " $* " in *" -L"* | *" --label-"*) ;; *) set -- -LE '^long$' "$@" ;; esac
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
# One more than there are processors at least: many tests wait for a peer most of their time.
jobs=${AXL_TEST_JOBS:-$(($(nproc) + 1))}
exec ctest --test-dir "$project/build/$preset" --output-on-failure --no-tests=error -j"$jobs" "$@"
