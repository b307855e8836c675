# shellcheck shell=bash
# Weir, with the backend of $BACKEND; sourced by weir-io_uring.sh and weir-mmsg.sh. One shard: one core.

start() {
  # In a folder without a config.toml.
  (
    cd "$SCRATCH" || exit 1
    export WEIR__HTTP__LISTEN=$ADDRESS:8800 WEIR__MEDIA__LISTEN=$ADDRESS:8801 WEIR__MEDIA__SHARDS=1 \
      WEIR__MEDIA__ROOM_PEERS_PER_SHARD=4096 WEIR__MEDIA__BACKEND="$BACKEND"
    exec "${IN[@]}" "$WEIR" serve >out 2>err
  ) &
  PID=$!
  for _ in $(seq 100); do
    if grep -q '^Weir is ready' "$SCRATCH/out"; then return 0; fi
    kill -0 "$PID" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$SCRATCH/err" >&2
  return 1
}

words() { printf '%s' "--target weir --url http://$ADDRESS:8800"; }
