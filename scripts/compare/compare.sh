#!/usr/bin/env bash
# The same load on several servers, one after the other, in two network namespaces joined by a veth pair: prints
# them side by side and adds a line of JSON for each to bench/results.ndjson.
#
#   scripts/compare/compare.sh [SERVER...]      files in scripts/compare/servers, without .sh
#
#   ROUNDS=3 RECEIVERS=50 DURATION=15s SCENARIO=one_to_many PACING=burst RATE=1M ARGS="" PROFILE=release
#   RESULTS=bench/results.ndjson
#
# The server has the first core for itself, weir-load the second. Rounds are interleaved (A B C, A B C, ...); of each
# server the round with the least CPU a packet counts, for what disturbs only ever takes away. UDP segmentation
# offload is off on the server's end of the pair (OFFLOAD=on leaves it): loopback and veth keep trains whole that a
# network card would have to cut. Needs root (asks sudo); everything it made is removed in the end, also after Ctrl-C.
#
# Another server is a file servers/NAME.sh with three functions. They see $ADDRESS (where to listen; the only
# address besides loopback), $SCRATCH (a folder that is removed), and the array ${IN[@]} to put before the command
# that starts the server (its namespace and core):
#
#   install        installs what is missing; may be left out
#   start          starts it in the background, sets PID, and returns when it is ready
#   words          prints the words for `weir-load run` that say where it is: --target ... --url ...
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../lib.sh"
PATH=$PATH:/usr/sbin:/sbin
servers=$root/scripts/compare/servers

if [ "$(id -u)" != 0 ]; then
  have sudo || die "network namespaces need root"
  keep=ROUNDS,RECEIVERS,DURATION,SCENARIO,PACING,RATE,ARGS,PROFILE,RESULTS,OFFLOAD,WEIR,CARGO_TARGET_DIR
  exec sudo --preserve-env="$keep" "$0" "$@"
fi
missing=()
for need in ip:iproute2 taskset:util-linux jq:jq ethtool:ethtool; do
  have "${need%%:*}" || missing+=("${need#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  have apt-get || die "please install: ${missing[*]}"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
load=$(target_dir)/${PROFILE:-release}/weir-load
[ -x "$load" ] || die "$load is missing: make compare builds it"
# For servers/weir-*.sh.
WEIR=$(realpath -- "${WEIR:-$(target_dir)/${PROFILE:-release}/weir}")
export WEIR

names=("$@")
[ ${#names[@]} -gt 0 ] || names=(weir-io_uring weir-mmsg janus janus-2loops)
for name in "${names[@]}"; do
  [ -f "$servers/$name.sh" ] || die "no $servers/$name.sh"
done
rounds=${ROUNDS:-3}
scenario=${SCENARIO:-one_to_many}
words=()
if [ "$scenario" = one_to_many ]; then
  words+=(--receivers "${RECEIVERS:-50}" --duration "${DURATION:-15s}")
  words+=(--set "roles.speaker.publish.camera.pacing=${PACING:-burst}")
  words+=(--set "roles.speaker.publish.camera.bitrate=${RATE:-1M}")
fi
# shellcheck disable=SC2206 # words separated by blanks
words+=(${ARGS:-})

server_core=0
load_core=$(($(nproc) > 1 ? 1 : 0))
tag=wc$$
folder=$(mktemp -d)
# A documentation range (RFC 5737), seen in the two namespaces alone.
export ADDRESS=198.51.100.1
us=198.51.100.2

# shellcheck disable=SC2317 # called by the trap
finish() {
  ip netns del "$tag-s" 2>/dev/null
  ip netns del "$tag-c" 2>/dev/null
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

for name in "${names[@]}"; do
  (
    install() { :; }
    # shellcheck source=/dev/null
    . "$servers/$name.sh"
    install
  ) || die "$name could not be installed"
done

if ! ip netns add "$tag-s" || ! ip netns add "$tag-c"; then die "no network namespaces here"; fi
ip -n "$tag-s" link add veth0 type veth peer name veth0 netns "$tag-c"
ip -n "$tag-s" addr add "$ADDRESS/24" dev veth0
ip -n "$tag-c" addr add "$us/24" dev veth0
for end in s c; do
  ip -n "$tag-$end" link set lo up
  ip -n "$tag-$end" link set veth0 up
done
if [ "${OFFLOAD:-off}" = off ]; then
  ip netns exec "$tag-s" ethtool -K veth0 tx-udp-segmentation off >/dev/null 2>&1 \
    || say "ethtool cannot switch UDP segmentation offload off here: it stays on"
fi

# One round of one server.
measure() (
  name=$1
  report=$2
  export SCRATCH=$folder/$name
  rm -rf "$SCRATCH"
  mkdir -p "$SCRATCH"
  PID=
  # shellcheck disable=SC2317 # called by the trap
  stop() {
    if [ -n "$PID" ]; then
      kill "$PID" 2>/dev/null
      for _ in $(seq 50); do
        kill -0 "$PID" 2>/dev/null || break
        sleep 0.1
      done
      kill -9 "$PID" 2>/dev/null
      wait "$PID" 2>/dev/null
    fi
  }
  trap stop EXIT
  trap 'exit 130' INT TERM
  # shellcheck disable=SC2034 # used by servers/*.sh
  IN=(ip netns exec "$tag-s" taskset -c "$server_core")
  # shellcheck source=/dev/null
  . "$servers/$name.sh"
  start || { say "$name did not start" >&2; exit 1; }
  # shellcheck disable=SC2046 # words separated by blanks
  ip netns exec "$tag-c" taskset -c "$load_core" "$load" run "$scenario" $(words) --bind "$us" \
    --server-pid "$PID" --threads 1 --quiet --json "$report" "${words[@]}" >"$SCRATCH/table" 2>"$SCRATCH/errors"
  code=$?
  # A missed threshold is a result too.
  if [ $code -gt 1 ]; then
    cat "$SCRATCH/errors" >&2
    exit 1
  fi
)

reports=()
# The machine's load before anything was measured: above 1, others share caches and cores with what is compared.
busy=$(cut -d' ' -f1 /proc/loadavg)
for round in $(seq "$rounds"); do
  for name in "${names[@]}"; do
    say "round $round of $rounds: $name (load $(cut -d' ' -f1 /proc/loadavg))" >&2
    mkdir -p "$folder/reports/$name"
    report=$folder/reports/$name/$round.json
    if measure "$name" "$report"; then
      reports+=("$name=$report")
    else
      code=$?
      [ $code -lt 128 ] || exit $code
      say "$name failed in round $round" >&2
    fi
  done
done
[ ${#reports[@]} -gt 0 ] || die "nothing was measured"

say
say "$scenario ${words[*]}, veth with UDP segmentation offload ${OFFLOAD:-off}, one core each," \
  "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r), $(date -u +%FT%TZ)"
say
"$load" compare "${reports[@]}"

commit=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
for name in "${names[@]}"; do
  files=("$folder/reports/$name"/*.json)
  [ -f "${files[0]}" ] || continue
  jq -c -s --arg name "$name" --arg commit "$commit" --arg date "$(date -u +%FT%TZ)" \
    --arg what "$scenario ${words[*]}" --arg offload "${OFFLOAD:-off}" --arg kernel "$(uname -r)" \
    --argjson busy "$busy" '
    map(select(.server.cpu_us_per_packet != null)) | select(length > 0)
    | . as $all | min_by(.server.cpu_us_per_packet)
    | {what: ("compare, " + $name), command: $what, commit: $commit, date: $date, kernel: $kernel,
       load: $busy, cpu: .facts.cpu, udp_segmentation_offload: $offload, rounds: ($all | length), unit: "us/packet",
       ours: .server.cpu_us_per_packet, rounds_us: ($all | map(.server.cpu_us_per_packet)),
       packets_per_cpu_s: .server.packets_per_cpu_s, packets_per_s: .media.received_packets_per_s,
       loss: .media.loss, rss_per_participant_bytes: .server.rss_per_participant_bytes,
       join_p50_us: .joins.first_packet.p50_us, join_p95_us: .joins.first_packet.p95_us,
       added_delay_p99_us: .added_delay.p99_us}' "${files[@]}" >>"${RESULTS:-$root/bench/results.ndjson}"
done
