#!/usr/bin/env bash
# Starts a server of its own and runs the API contract's checker against it:
# `contract.sh PATH/check_contract.py [ARGUMENTS]`. Result: the checker's.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

checker=${1:?usage: contract.sh PATH/check_contract.py}
shift
checker=$(realpath -- "$checker")
weir=$(target_dir)/debug/weir
[ -x "$weir" ] || die "$weir is missing: cargo build"

folder=$(mktemp -d)
server=
# shellcheck disable=SC2317 # called by the trap
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null
  rm -rf "$folder"
}
trap finish EXIT

cd "$folder" || exit 1
WEIR__HTTP__LISTEN=127.0.0.1:0 WEIR__MEDIA__LISTEN=127.0.0.1:0 WEIR__DATA__DIR=$folder/data \
  WEIR__ADMIN__USERNAME=root WEIR__ADMIN__EMAIL=root@example.org WEIR__ADMIN__PASSWORD=contract-1 \
  "$weir" serve >"$folder/out" 2>"$folder/err" &
server=$!

url=
for _ in $(seq 100); do
  url=$(sed -n 's/^Weir is ready: //p' "$folder/out")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$url" ]; then
  tail -n 20 "$folder/err" >&2
  die "the server did not start"
fi

say "== contract"
timeout 900 python3 "$checker" --base-url "${url/localhost/127.0.0.1}" \
  --admin-user root --admin-password contract-1 "$@" >"$folder/report"
status=$?
mkdir -p "${WEIR_ARTIFACTS:-$root/test-artifacts}"
cp "$folder/report" "${WEIR_ARTIFACTS:-$root/test-artifacts}/contract.log"
tail -n 2 "$folder/report" | sed 's/^/contract: /'
exit "$status"
