#!/bin/sh
# Builds and runs the program of another C++ library. Usage: libcxx_test.sh SOURCE_DIR LIBRARY WORK_DIR
# 77: this machine has no clang with libc++.
set -eu
source=$1 library=$2 work=$3
mkdir -p "$work"
if ! command -v clang++ > /dev/null || ! echo '#include <string>' | clang++ -stdlib=libc++ -fsyntax-only -xc++ - 2> /dev/null; then
  echo "skipped: no clang++ with libc++ here"
  exit 77
fi
clang++ -std=c++17 -Wall -Wextra -Werror -pedantic -stdlib=libc++ "-I$source/../include" "$source/libcxx.cpp" \
  -o "$work/libcxx" "$library" "-Wl,-rpath,$(dirname "$library")"
"$work/libcxx"
