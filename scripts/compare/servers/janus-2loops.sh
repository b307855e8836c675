# shellcheck shell=bash
# Janus at its best on few cores: handles share two event loops.
LOOPS=2
# shellcheck source=scripts/compare/servers/janus.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/janus.sh"
