# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, not run.

# The checkout's root.
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# Tools built for our own use, kept outside the checkout.
cache=${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
PATH=$PATH:$HOME/.cargo/bin:$cache/tools/bin

say() { printf '%s\n' "$*"; }
die() {
  printf 'weir: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Does WEIR_REQUIRE (words separated by commas) name $1? What it names must be there: tests that
# need it then fail instead of being skipped.
required() {
  case ",${WEIR_REQUIRE:-}," in
    *",$1,"*) return 0 ;;
    *) return 1 ;;
  esac
}

# Where cargo puts what it builds.
target_dir() { printf '%s\n' "${CARGO_TARGET_DIR:-$root/target}"; }
