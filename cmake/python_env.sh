#!/usr/bin/env bash
# Brings what tests/python runs in: the wheel of bindings/python, made by pip, and two virtual environments with it, one for
# each generation of the MCP SDK. Idempotent; well under a second when all is there. ctest runs it before the tests that
# need it.
#
#   cmake/python_env.sh
#
#   AXL_PYTHON_DIR=DIR   where they live (default: build/python); clones may share one
#   AXL_BUILD_DIR=DIR    a build of this tree with install rules: its library goes into the package. Without one, or when
#                        it has none, the library is built from the source tree
set -Eeuo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${AXL_PYTHON_DIR:-$project/build/python}
binding=$project/bindings/python
export AXL_DEPS_DIR=${AXL_DEPS_DIR:-$project/build/deps}
step="start"
trap 'echo "python: failed to $step" >&2' ERR
say() { echo "python: $*"; }

# Makes environment $1 unless it was made from the same content of the requirements $2.
make_environment() {
  local stamp
  stamp=$(cat "$2" "$project"/tests/agents/python/requirements-[12].txt | sha256sum)
  [ "$(cat "$folder/$1/stamp" 2> /dev/null)" != "$stamp" ] || return 0
  step="make $folder/$1"
  say "making $1 from $(basename "$2")"
  rm -rf "${folder:?}/$1" "$folder/package"
  python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
  echo "$stamp" > "$folder/$1/stamp"
}

# What the package is made of: sources, and the library where it is there already.
newest() {
  find "$binding" "$project/include" "$project/lib" "$project/cmake" -type f \
    -not -path '*/tests/*' -not -path '*/benchmarks/*' -not -name '*.pyc' -printf '%T@ %p\n' | sort | sha256sum
}

install_package() {
  local stamp component environment prefix=
  stamp="$(newest) ${AXL_BUILD_DIR:-}"
  [ "$(cat "$folder/package" 2> /dev/null)" != "$stamp" ] || return 0
  if [ -f "${AXL_BUILD_DIR:-}/install/development/axlConfig.cmake" ]; then
    step="install the library of $AXL_BUILD_DIR"
    prefix=$folder/prefix
    rm -rf "$prefix"
    for component in runtime development; do
      cmake --install "$AXL_BUILD_DIR" --prefix "$prefix" --component "$component" > "$folder/install.log"
    done
  fi
  if command -v ccache > /dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER:-ccache} CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}
  fi
  step="build and install the package"
  say "building the package"
  rm -rf "$folder/dist"
  AXL_PREFIX=$prefix CMAKE_GENERATOR=Ninja "$folder/venv/bin/pip" wheel --quiet --disable-pip-version-check \
    --no-build-isolation --no-deps --config-settings=build-dir="$folder/wheel" --wheel-dir "$folder/dist" "$binding"
  for environment in venv venv-1; do
    "$folder/$environment/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$folder"/dist/axl-*.whl
  done
  echo "$stamp" > "$folder/package"
}

mkdir -p "$folder"
exec 9> "$folder/.lock"
flock 9 # another clone or shell may be at it
python3 -c 'import ensurepip, venv' 2> /dev/null || { say "python3-venv is missing: cmake/deps.sh tests installs it" >&2; false; }
make_environment venv "$binding/tests/requirements.txt"
make_environment venv-1 "$binding/tests/requirements-1.txt"
install_package
say "ready in $folder"
