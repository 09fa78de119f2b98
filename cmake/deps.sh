#!/usr/bin/env bash
# Brings everything that the build and the tests need, on Debian 12. Idempotent; well under a second when all is there.
#
#   cmake/deps.sh               for the library, the daemon and what the tests need to be built
#   cmake/deps.sh tests         what they need to run too: a second compiler, Python's headers, what checks Debian packages
#   cmake/deps.sh benchmarks    for the benchmarks too
#
#   AXL_DEPS_DIR=DIR      where the unpacked dependencies live (default: build/deps); clones may share one
#   AXL_LWIP_SOURCE=DIR   an unpacked lwIP 2.2.1 tree to use instead of the Debian source package
#
# Debian 12 packages are installed by apt-get. What Debian 12 lacks comes from trixie and bookworm-backports: downloaded
# with private source lists, derived from this machine's own, and unpacked into the deps folder. Neither the system's
# apt configuration nor its package lists for those suites change, and nothing from them is installed.
set -Eeuo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${AXL_DEPS_DIR:-$project/build/deps}

packages=(
  # to build
  cmake ninja-build g++ pkg-config git ca-certificates
  libsodium-dev libssl-dev libasio-dev libfmt-dev libsimdjson-dev libcli11-dev
  # to unpack what is below
  xz-utils dpkg-dev
  # to run the tests
  python3 openssl curl iproute2 iputils-ping valgrind
)
case ${1:-} in
  "") ;;
  benchmarks) packages+=(libbenchmark-dev) ;;
  tests) packages+=(clang libc++-dev libc++abi-dev python3-dev python3-venv file lintian man-db procps systemd) ;;
  *)
    echo "deps: not '$1' but nothing, 'tests' or 'benchmarks'" >&2
    exit 2
    ;;
esac
unpacked=(libllhttp-dev/trixie libllhttp9.2/trixie libcatch2-dev/bookworm-backports yggdrasil/bookworm-backports)
expected=(libllhttp-dev=9.2. libllhttp9.2=9.2. libcatch2-dev=3.7. yggdrasil=0.5.12)
lwip_orig=lwip_2.2.1+dfsg1.orig.tar.xz
lwip_sha256=83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1

# One line that changes whenever the content of the deps folder should.
stamp="1 ${unpacked[*]} ${expected[*]} lwip=${AXL_LWIP_SOURCE:-$lwip_sha256}"

say() { echo "deps: $*"; }
step="start"
die() {
  trap - ERR
  echo "deps: failed to $step${1:+: $1}" >&2
  exit 1
}
trap 'die' ERR

# --- Debian 12 packages ------------------------------------------------------------------------------------------------

install_packages() {
  step="read the machine's release"
  [ -r /etc/os-release ] || die "no /etc/os-release"
  if [ "$(. /etc/os-release && echo "${ID:-} ${VERSION_CODENAME:-}")" != "debian bookworm" ] || ! command -v dpkg-query > /dev/null; then
    die "this script knows Debian 12 (bookworm) only. Elsewhere: install the libraries that README.md lists, set
      AXL_LWIP_SOURCE to an unpacked lwIP 2.2.1, and build with 'cmake --preset release && cmake --build --preset release'"
  fi

  step="look for installed packages"
  local installed missing=() package as_root=()
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2> /dev/null || true)
  for package in "${packages[@]}"; do
    grep -qxF "$package installed" <<< "$installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  step="install packages"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || die "not root, and there is no sudo. As root: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing with apt-get${as_root:+ (sudo)}: ${missing[*]}"
  # A broken third-party source makes `update` fail; the packages we want may be reachable all the same.
  "${as_root[@]}" apt-get -qq update || say "apt-get update reported errors; trying to install all the same"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
}

# --- Packages of other suites, unpacked --------------------------------------------------------------------------------

# Copies the machine's own entries for Debian 12 main, with other suites: same mirror, same keys, same options.
derive_sources() {  # folder to write to
  local list parts out=$1 file
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  # Entries that name the suite, not the codename, mean the same on this machine.
  local suite='^(bookworm|stable|oldstable)/?$'
  for file in "$list" "${parts%/}"/*.list; do
    [ -r "$file" ] || continue
    sed 's/#.*//' "$file" | awk -v suite="$suite" '
      $1 != "deb" { next }
      {
        options = ""
        if (match($0, /\[[^]]*\]/)) { options = substr($0, RSTART, RLENGTH) " "; $0 = substr($0, 1, RSTART - 1) " " substr($0, RSTART + RLENGTH) }
        if ($3 !~ suite) next
        for (i = 4; i <= NF; i++) if ($i == "main") {
          print "deb " options $2 " trixie main"
          print "deb-src " options $2 " trixie main"
          print "deb " options $2 " bookworm-backports main"
        }
      }'
  done | awk '!seen[$0]++' > "$out/axl.list"
  for file in "${parts%/}"/*.sources; do
    [ -r "$file" ] || continue
    # A blank line at the end closes the last paragraph.
    { grep -v '^#' "$file"; echo; } | awk -v suite="$suite" '
      function finish(  i, n, words, wanted) {
        n = split(field["suites"], words); for (i = 1; i <= n; i++) if (words[i] ~ suite) wanted = 1
        if (wanted && field["types"] ~ /(^| )deb( |$)/ && field["components"] ~ /(^| )main( |$)/ && tolower(field["enabled"]) !~ /no|false|off|0/) {
          print "Types: deb deb-src\nSuites: trixie\nComponents: main\n" kept
          print "Types: deb\nSuites: bookworm-backports\nComponents: main\n" kept
        }
        delete field; kept = ""; name = ""
      }
      /^[ \t]*$/ { finish(); next }
      /^[ \t]/ {  # goes on with the field above
        if (name ~ /^(types|suites|components|enabled)$/) field[name] = field[name] " " $0; else kept = kept $0 "\n"
        next
      }
      {
        name = tolower(substr($0, 1, index($0, ":") - 1))
        if (name ~ /^(types|suites|components|enabled)$/) { field[name] = substr($0, index($0, ":") + 1); gsub(/[ \t]+/, " ", field[name]) }
        else kept = kept $0 "\n"
      }'
  done > "$out/axl.sources"
  grep -qi '^uris:' "$out/axl.sources" || [ -s "$out/axl.list" ]
}

# Runs apt with our sources and folders, and with the machine's proxies, credentials and keys.
private_apt() { "$1" -q -c "$work/apt.conf" "${@:2}"; }

download() {
  step="derive package sources from this machine's own"
  mkdir "$work/sources" "$work/lists" "$work/cache" "$work/none" "$work/files"
  derive_sources "$work/sources" || die "no enabled entry for 'bookworm main' in apt's source lists"
  cat > "$work/apt.conf" << CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$work/none";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
Acquire::Languages "none";
CONF
  # As root, apt downloads as its own user, which must be able to write here.
  if [ "$(id -u)" -eq 0 ] && id _apt > /dev/null 2>&1; then chown _apt "$work/files"; fi

  step="fetch the package lists of trixie and bookworm-backports"
  say "fetching package lists of trixie and bookworm-backports (private, for this download only)"
  private_apt apt-get update > "$work/log" 2>&1 || { cat "$work/log" >&2; die "see apt's messages above"; }

  step="download ${unpacked[*]}"
  say "downloading ${unpacked[*]}"
  # The log of the update stays in front: apt calls an unreachable mirror a warning there, and it shows only here.
  (cd "$work/files" && private_apt apt-get download "${unpacked[@]}") >> "$work/log" 2>&1 || { cat "$work/log" >&2; die "see apt's messages above"; }

  [ -z "${AXL_LWIP_SOURCE:-}" ] || return 0
  step="download the source of lwip 2.2.1"
  say "downloading the source of lwip 2.2.1"
  (cd "$work/files" && private_apt apt-get source --download-only --only-source lwip/trixie) >> "$work/log" 2>&1 ||
    { cat "$work/log" >&2; die "see apt's messages above"; }
  step="check the source of lwip"
  [ -f "$work/files/$lwip_orig" ] || die "the package does not bring $lwip_orig but: $(cd "$work/files" && echo lwip*)"
  echo "$lwip_sha256  $work/files/$lwip_orig" | sha256sum --check --quiet || die "SHA-256 of $lwip_orig differs"
}

unpack() {
  local file name version want
  step="unpack the packages"
  for file in "$work"/files/*.deb; do
    name=$(dpkg-deb -f "$file" Package)
    version=$(dpkg-deb -f "$file" Version)
    for want in "${expected[@]}"; do
      case $want in "$name="*) [[ $version == "${want#*=}"* ]] || die "$name is $version, expected ${want#*=}*" ;; esac
    done
    say "unpacking $name $version"
    dpkg-deb -x "$file" "$work/root"
  done
  # pkg-config files name /usr; the CMake files find themselves.
  find "$work/root/usr" -name '*.pc' -exec sed -i "s|=/usr|=$deps/usr|" {} +

  step="unpack lwip"
  if [ -n "${AXL_LWIP_SOURCE:-}" ]; then
    ln -s "$(cd "$AXL_LWIP_SOURCE" && pwd)" "$work/lwip"
  else
    mkdir "$work/lwip"
    tar -xJf "$work/files/$lwip_orig" -C "$work/lwip" --strip-components=1 --no-same-owner
  fi
  [ -f "$work/lwip/src/core/tcp.c" ] || die "no src/core/tcp.c in it"

  step="put everything in place"
  rm -rf "$deps/usr" "$deps/lwip" "$deps/stamp"
  mv "$work/root/usr" "$deps/usr"
  mv "$work/lwip" "$deps/lwip"
  echo "$stamp" > "$deps/stamp"
}

install_packages
step="make $deps"
mkdir -p "$deps"
deps=$(cd "$deps" && pwd)
exec 9> "$deps/.lock"
flock 9 # another clone or shell may be at it
if [ "$(cat "$deps/stamp" 2> /dev/null)" != "$stamp" ]; then
  step="find lwip in AXL_LWIP_SOURCE"
  [ -z "${AXL_LWIP_SOURCE:-}" ] || [ -f "$AXL_LWIP_SOURCE/src/core/tcp.c" ] || die "no $AXL_LWIP_SOURCE/src/core/tcp.c"
  # Outside the home folder, so that apt's own download user can reach it.
  work=$(mktemp -d "${TMPDIR:-/tmp}/axl-deps.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  download
  unpack
  say "ready in $deps"
fi
