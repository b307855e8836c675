# shellcheck shell=bash
BACKEND=io_uring
# shellcheck source=scripts/compare/servers/weir.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/weir.sh"
