#!/usr/bin/env bash
# Runs one of the example programs of examples/ that are folders. Sets up the machine (Debian 12), builds what is not
# there yet, and starts the program in the environment that has the Python package.
#
#   cmake/example.sh NAME [ARGUMENT...]      for instance: cmake/example.sh distributed_inference --short
#
#   AXL_BUILD_DIR=DIR   a build of this tree to use as it is (default: build/release, which is brought up to date)
#   AXL_PYTHON_DIR=DIR  where the environment lives (default: build/python)
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=${1:-}
if [ -z "$name" ] || [ ! -f "$project/examples/$name/run.py" ]; then
  echo "example: which one?" >&2
  for program in "$project"/examples/*/run.py; do echo "  $(basename "$(dirname "$program")")" >&2; done
  exit 2
fi
shift

# To stderr: stdout belongs to the example.
if [ -z "${AXL_BUILD_DIR:-}" ]; then
  export AXL_BUILD_DIR=$project/build/release
  "$project/cmake/deps.sh" tests >&2
  "$project/cmake/build.sh" release >&2
fi
"$project/cmake/python_env.sh" >&2
exec "${AXL_PYTHON_DIR:-$project/build/python}/venv/bin/python" "$project/examples/$name/run.py" "$@"
