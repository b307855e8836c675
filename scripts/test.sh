#!/usr/bin/env bash
# Every test, one suite after the other; a failing suite does not keep the next from running.
# Logs and screenshots: test-artifacts/. Last line: N passed, N failed.
#
# WEIR_REQUIRE names, with commas, what must be there (root, netns, chromium, firefox, io_uring):
# tests that need something else and do not find it say so and are skipped.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$root" || exit 1

artifacts=${WEIR_ARTIFACTS:-$root/test-artifacts}
rm -rf "$artifacts"
mkdir -p "$artifacts"
WEIR_BIN=$(target_dir)/debug/weir
export WEIR_ARTIFACTS=$artifacts WEIR_BIN

passed=0
failed=0
summary=()

# Adds up the numbers N in lines of a log that match "PATTERN N" or "N PATTERN" given as sed.
total() { sed -nE "$1" "$2" | awk '{ sum += $1 } END { print sum + 0 }'; }

# suite NAME COMMAND...: runs it, keeps its log, counts.
suite() {
  local name=$1 log=$artifacts/$1.log status good bad plain
  shift
  say "== $name"
  local begin=$SECONDS
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  plain=$log.plain
  sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$log" >"$plain"
  case $name in
    rust) # nextest, or cargo test
      good=$(total 's/^ *Summary .* ([0-9]+) passed.*/\1/p; s/^test result: .* ([0-9]+) passed.*/\1/p' "$plain")
      bad=$(total 's/^ *Summary .* ([0-9]+) failed.*/\1/p; s/^test result: .* ([0-9]+) failed.*/\1/p' "$plain")
      ;;
    docs)
      good=$(total 's/^test result: .* ([0-9]+) passed.*/\1/p' "$plain")
      bad=$(total 's/^test result: .* ([0-9]+) failed.*/\1/p' "$plain")
      ;;
    web) # vitest
      good=$(total 's/^ *Tests (.* )?([0-9]+) passed.*/\2/p' "$plain")
      bad=$(total 's/^ *Tests (.* )?([0-9]+) failed.*/\2/p' "$plain")
      ;;
    browsers) # node --test
      good=$(total 's/^[^a-z]* pass ([0-9]+)$/\1/p' "$plain")
      bad=$(total 's/^[^a-z]* fail ([0-9]+)$/\1/p' "$plain")
      ;;
  esac
  rm -f "$plain"
  # A suite that failed without naming a test, for example because it did not build.
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  summary+=("$(printf '%-9s %5d passed %5d failed  %4d s' "$name" "$good" "$bad" "$((SECONDS - begin))")")
}

if have cargo-nextest; then
  suite rust cargo nextest run --workspace --locked --no-fail-fast
else
  suite rust cargo test --workspace --locked --no-fail-fast --all-targets
fi
suite docs cargo test --workspace --locked --doc --quiet
suite web npm --prefix web test --silent
if cargo build --locked --quiet --bin weir; then
  suite browsers npm --prefix web run --silent e2e
else
  suite browsers false
fi

say ""
say "Summary (logs and screenshots in $artifacts):"
printf '  %s\n' "${summary[@]}"
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
