#!/bin/sh
# Runs a compiler with the project's paths made relative: GCC names what is local to a file by the file's path, and a
# profile taken in one folder has to fit another.
#
#   relative_paths.sh BINARY_DIR SOURCE_DIR PATH_FROM_BINARY_TO_SOURCE COMPILER ARGUMENT...
binary=$1/ source=$2/ up=$3
shift 3
count=$#
while [ "$count" -gt 0 ]; do
  argument=$1
  shift
  case $argument in
    -I"$binary"*) argument=-I${argument#-I"$binary"} ;;
    -I"$source"*) argument=-I$up${argument#-I"$source"} ;;
    "$binary"*) argument=${argument#"$binary"} ;;
    "$source"*) argument=$up${argument#"$source"} ;;
  esac
  set -- "$@" "$argument"
  count=$((count - 1))
done
exec "$@"
