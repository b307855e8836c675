#!/usr/bin/env bash
# Starts a Weir of its own on free ports with a throw-away data folder, loads it with weir-load, and stops it:
# `load.sh [SCENARIO] [ARGUMENTS of weir-load run]`. Result: weir-load's (docs/loadtest.md).
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

profile=${PROFILE:-release}
weir=$(target_dir)/$profile/weir
load=$(target_dir)/$profile/weir-load
[ -x "$weir" ] || die "$weir is missing: make load builds it"
[ -x "$load" ] || die "$load is missing: make load builds it"
weir=$(realpath -- "$weir")

scenario=one_to_many
case ${1:-} in
  '' | -*)
    small=()
    [[ " $*" == *" --receivers"* ]] || small+=(--receivers 50)
    [[ " $*" == *" --duration"* ]] || small+=(--duration 10s)
    set -- "${small[@]}" "$@"
    ;;
  *)
    scenario=$1
    shift
    ;;
esac

folder=$(mktemp -d)
server=
# shellcheck disable=SC2317 # called by the trap
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
  fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

# In a folder without a config.toml.
(
  cd "$folder" || exit 1
  export WEIR__HTTP__LISTEN=127.0.0.1:0 WEIR__MEDIA__LISTEN=127.0.0.1:0
  exec "$weir" serve >out 2>err
) &
server=$!

url=
for _ in $(seq 300); do
  url=$(sed -n 's/^Weir is ready: //p' "$folder/out")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$url" ]; then
  tail -n 20 "$folder/err" >&2
  die "the server did not start"
fi

"$load" run "$scenario" --target weir --url "${url/localhost/127.0.0.1}" --server-pid "$server" "$@"
