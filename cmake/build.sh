#!/usr/bin/env bash
# Brings the dependencies, then configures and builds one preset; what is up to date is left alone.
#
#   cmake/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift

case $preset in
  bench | profile) cmake/deps.sh benchmarks ;;
  dev | asan | tsan) cmake/deps.sh tests ;;
  *) cmake/deps.sh ;;
esac
mkdir -p "build/$preset"
exec 9> "build/$preset/.lock" # two builds in one folder would trip over each other
flock 9
if command -v ccache > /dev/null; then
  export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER:-ccache} CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}
fi
# Once configured, the build itself notices when that has to be done again.
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"
cmake --build "build/$preset" --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" ${1:+--target "$@"}
