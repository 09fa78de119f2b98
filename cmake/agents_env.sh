#!/usr/bin/env bash
# Brings the official agent SDKs that tests/agents runs against: one Python environment for each generation of them (they
# exclude each other), a WebSocket client, a Node.js of its own with the TypeScript SDK and the conformance runner, and a browser. Idempotent; well under a second when
# all is there. ctest runs it before the tests that need it.
#
#   cmake/agents_env.sh
#
#   AXL_AGENTS_DIR=DIR    where they live (default: build/agents); clones may share one
set -Eeuo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
agents=${AXL_AGENTS_DIR:-$project/build/agents}
from=$project/tests/agents
step="start"
trap 'echo "agents: failed to $step" >&2' ERR
say() { echo "agents: $*"; }

# Packages for commands that are not there: command/package.
install_commands() {
  local missing=() pair as_root=()
  for pair in python3/python3 chromium-headless-shell/chromium-headless-shell; do
    command -v "${pair%/*}" > /dev/null || missing+=("${pair#*/}")
  done
  python3 -c 'import ensurepip, venv' 2> /dev/null || missing+=(python3-venv)
  [ ${#missing[@]} -gt 0 ] || return 0
  step="install packages: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || { say "not root, and there is no sudo; as root: apt-get install --no-install-recommends ${missing[*]}" >&2; false; }
    as_root=(sudo)
  fi
  say "installing with apt-get: ${missing[*]}"
  "${as_root[@]}" apt-get -qq update || say "apt-get update reported errors; trying to install all the same"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" > "$agents/apt.log" 2>&1 ||
    { cat "$agents/apt.log" >&2; false; }
}

# Makes folder $1 by command $3 unless it was made from the same content of file $2.
make_once() {
  local stamp
  stamp=$(sha256sum < "$2")
  [ "$(cat "$agents/$1/stamp" 2> /dev/null)" != "$stamp" ] || return 0
  step="make $agents/$1"
  say "making $1 from $(basename "$2")"
  rm -rf "${agents:?}/$1"
  "$3" "$agents/$1" "$2"
  echo "$stamp" > "$agents/$1/stamp"
}
python_environment() {
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
}
node_environment() {
  mkdir "$1"
  cp "$from/node/package.json" "$from/node/package-lock.json" "$1"
  (cd "$1" && PATH="$agents/node-runtime/bin:$PATH" npm ci --silent --no-audit --no-fund)
}

mkdir -p "$agents"
exec 9> "$agents/.lock"
flock 9 # another clone or shell may be at it
install_commands
make_once sdk-1 "$from/python/requirements-1.txt" python_environment
make_once sdk-2 "$from/python/requirements-2.txt" python_environment
make_once websocket "$from/python/requirements-websocket.txt" python_environment
make_once node-runtime "$from/python/requirements-node.txt" python_environment
make_once node "$from/node/package-lock.json" node_environment
say "ready in $agents"
