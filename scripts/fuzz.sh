#!/usr/bin/env bash
# Fuzzes one target: scripts/fuzz.sh TARGET [SECONDS]. Needs cargo-fuzz and a nightly compiler.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

target=${1:?which target: wire, sdp, rewriter or shard}
seconds=${2:-600}
if ! have cargo-fuzz; then
  say "cargo-fuzz is missing: cargo install cargo-fuzz --locked"
  exit 1
fi

# What is learned goes into the first folder; the committed one is only read.
learned=$(target_dir)/fuzz/corpus/$target
CARGO_TARGET_DIR=$(target_dir)/fuzz
export CARGO_TARGET_DIR
mkdir -p "$learned"
# -s none: no sanitizer, see fuzz/README.md.
exec cargo +nightly fuzz run -s none "$target" "$learned" "fuzz/corpus/$target" -- \
  -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -print_final_stats=1
