#!/usr/bin/env bash
# Everything that can be said about the code without running it. `make check` builds the page first.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$root" || exit 1

failed=()
step() {
  local name=$1
  shift
  say "== $name"
  "$@" || failed+=("$name")
}

step "format" cargo fmt --all --check
step "clippy" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
step "docs" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
if have cargo-deny; then
  step "dependencies" cargo deny --locked --log-level error check bans licenses sources
elif required cargo-deny; then
  failed+=("dependencies: cargo-deny is required and missing")
else
  say "== dependencies: left out, cargo-deny is not installed"
fi
step "web" npm --prefix web run --silent check
if have shellcheck; then
  step "scripts" shellcheck -x scripts/*.sh scripts/compare/*.sh scripts/compare/servers/*.sh .ci/run
fi

if [ ${#failed[@]} -gt 0 ]; then
  say "Failed: ${failed[*]}"
  exit 1
fi
say "All checks are good."
