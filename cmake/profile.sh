#!/usr/bin/env bash
# Takes the profile that the presets release and bench are compiled with, and puts it into cmake/profile: builds
# programs that count what they run, and puts the load of benchmarks/node/train.py on them. Ten minutes; worth it after
# a change of what happens for every message.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$project/cmake/build.sh" profile >&2
build=$project/build/profile
find "$build" -name '*.gcda' -delete
python3 "$project/benchmarks/node/train.py" --axld "$build/daemon/axld" --tools "$build/benchmarks" >&2
cd "$build"
archive=$project/cmake/profile/gcc-$(g++ -dumpversion | cut -d. -f1).tar.xz
find lib daemon -name '*.gcda' -print0 | sort -z |
  tar --create --xz --null --no-recursion --files-from=- --mtime=@0 --owner=0 --group=0 --numeric-owner --file="$archive"
ls -l "$archive" >&2
