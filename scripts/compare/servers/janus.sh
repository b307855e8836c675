# shellcheck shell=bash
# Janus' VideoRoom from Debian's package, as it is configured by default: a thread and loop for each handle.
# $LOOPS is the number of event loops that handles share instead; see janus-2loops.sh.

install() {
  if ! have janus; then
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends janus
  fi
}

# All modules of a folder but one, separated by commas.
others() { find "$1" -maxdepth 1 -name '*.so' ! -name "*$2*" -printf '%f\n' | paste -sd,; }

start() {
  local lib
  lib=$(dirname -- "$(find /usr/lib -path '*/janus/plugins/libjanus_videoroom.so' -print -quit)")
  # It offers no loopback candidates: the address of the veth is told, and all candidates go into the SDP.
  cat >"$SCRATCH/janus.jcfg" <<X
general: {
  configs_folder = "$SCRATCH"
  plugins_folder = "$lib"
  transports_folder = "${lib%/plugins}/transports"
  events_folder = "/nonexistent"
  loggers_folder = "/nonexistent"
  debug_level = 3
  ${LOOPS:+event_loops = $LOOPS}
}
nat: { ice_enforce_list = "$ADDRESS"; full_trickle = false }
media: { ipv6 = false }
plugins: { disable = "$(others "$lib" videoroom)" }
transports: { disable = "$(others "${lib%/plugins}/transports" websockets)" }
X
  cat >"$SCRATCH/janus.transport.websockets.jcfg" <<X
general: { json = "compact"; ws = true; ws_port = 8188; ws_ip = "$ADDRESS"; wss = false }
X
  "${IN[@]}" janus -F "$SCRATCH" -C "$SCRATCH/janus.jcfg" >"$SCRATCH/out" 2>&1 &
  PID=$!
  for _ in $(seq 100); do
    # 101 opens the WebSocket; anything is a sign of life.
    if "${IN[@]}" bash -c "exec 3<>/dev/tcp/$ADDRESS/8188" 2>/dev/null; then return 0; fi
    kill -0 "$PID" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$SCRATCH/out" >&2
  return 1
}

words() { printf '%s' "--target janus --url ws://$ADDRESS:8188"; }
