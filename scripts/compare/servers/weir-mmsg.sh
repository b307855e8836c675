# shellcheck shell=bash
BACKEND=mmsg
# shellcheck source=scripts/compare/servers/weir.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/weir.sh"
