#!/usr/bin/env bash
# Runs all of NetMeta in one process on this machine: collector, Kafka, ClickHouse
# and the console at http://127.0.0.1:8080/. Builds it first and downloads the
# ClickHouse engine once. All arguments go to the program:
#
#   scripts/standalone.sh --demo        with synthetic exporters and a day of history
#   scripts/standalone.sh               for your own routers: sFlow to port 6343,
#                                       NetFlow and IPFIX to 2055, NetFlow v5 to 2056
#   scripts/standalone.sh --help        every flag
#
# Nothing outside this folder and the data directory (--data-dir) is changed,
# except that npm is installed with apt-get where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/requirements.sh
. scripts/requirements.sh

need_go
case " $* " in
*" --help "* | *" -h "*) ;; # needs no engine, and nobody expects a download
*) need_libchdb ;;
esac
mkdir -p .build
if [ ! -x .build/netmeta-standalone ]; then
	say "Building NetMeta (about a minute the first time)"
fi
CGO_ENABLED=0 go build -o .build/ ./cmd/netmeta ./cmd/netmeta-standalone
exec .build/netmeta-standalone "$@"
