#!/usr/bin/env bash
# Installs what is missing on Debian: `setup.sh run`, `setup.sh check`, `setup.sh test` or
# `setup.sh bench`.
# Does nothing, quickly, when everything is there.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

goal=${1:-run}

# Command and Debian package that brings it.
needs=(cc:build-essential)
case $goal in
  run | check) ;;
  bench) needs+=(valgrind:valgrind) ;;
  test)
    needs+=(chromium:chromium ip:iproute2 iptables:iptables)
    have firefox || have firefox-esr || needs+=(firefox-esr:firefox-esr)
    ;;
  *) die "usage: setup.sh run|check|test|bench" ;;
esac

missing=()
for need in "${needs[@]}"; do
  PATH=$PATH:/usr/sbin:/sbin have "${need%%:*}" || missing+=("${need#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  have apt-get || die "please install: ${missing[*]} (this is no Debian, so it is not done for you)"
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    have sudo || die "please install as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

have cargo || die "the Rust toolchain is missing: install rustup, then run this again"
have npm || die "Node.js 20.19 or newer with npm is missing"
node -e 'const [a, b] = process.versions.node.split(".").map(Number);
  process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
  || die "Node.js $(node --version) is too old: 20.19 or newer is needed"

# npm ci, unless it was done for this very lock file.
lock=$root/web/package-lock.json
stamp=$root/web/node_modules/.weir-lock
if ! cmp -s "$lock" "$stamp"; then
  say "Installing the web packages"
  (cd "$root/web" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$lock" "$stamp"
fi

# Ten minutes to build and seconds to use: only where it is asked for, and kept.
if [ "$goal" = check ] && required cargo-deny && ! have cargo-deny; then
  say "Building cargo-deny once, into $cache/tools"
  CARGO_TARGET_DIR=$cache/tools/target \
    cargo install --quiet --locked --root "$cache/tools" cargo-deny
  rm -rf "$cache/tools/target"
fi
