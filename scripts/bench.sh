#!/usr/bin/env bash
# Measures this project against others, on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/requirements.sh
. scripts/requirements.sh

usage() {
	cat <<'USAGE'
Usage: scripts/bench.sh collector [OPTION]...
       scripts/bench.sh storage [ROWS] [OPTION]...
       scripts/bench.sh ingest [OPTION]...
       scripts/bench.sh path [OPTION]...
       scripts/bench.sh profile

collector   What a flow record costs in processor time, and from which rate on records
            are lost: netmeta collect beside goflow2, nfdump and pmacct. All get the
            same datagrams over loopback, one after the other, in every round.
            netmeta decodes them to protobuf and writes that to /dev/null, and again
            to an embedded Kafka broker (netmeta-kafka).

  --rounds N           rounds; the medians are reported (3)
  --seconds N          seconds to send for, in each measurement (4)
  --highest N          highest rate to offer, in records a second (12800000)
  --captures DIR       captures of real exporters to replay
                       ($NETMETA_SHARED/captures; without it datagrams are generated)
  --output table|json  json: [{"protocol":"sflow|netflow9|ipfix","collector":"...",
                       "records_per_cpu_second":N,"lost":N}, ...]
  --collectors LIST    of netmeta,netmeta-kafka,nfdump,pmacct,goflow2 (all)
  --protocols LIST     of sflow,netflow9,ipfix (all)

storage     How flows_raw is stored best: bytes a row, what inserts and merges cost, and
            how long the queries of dashboards and of doc/sql.md take, in the design of the
            original NetMeta and in today's, on the same flows in the same engine.

  --rows N             flows, up to 200000000 (20000000); ROWS is the same
  --hours N            hours that they are spread over (24)
  --random             draw addresses and ports evenly: the worst case
  --rounds N           rounds of each query; the best is reported (3)
  --cold N             rounds with nothing in memory (2)
  --designs LIST       designs to compare, the first with the others; all: every one that
                       was tried (original,netmeta)
  --dir DIR            where the data goes, as long as it is needed ($TMPDIR); up to 150
                       bytes for each row
  --output table|json  json: {"bytes_per_row":{"original":N,"netmeta":N},
                       "queries":[{"name":"...","kind":"filter|scan","original_ms":N,
                       "netmeta_ms":N,...}],"insert_rows_per_second":N}

ingest      What ClickHouse makes of a full queue: how many flows a second it stores, with
            sums and projections, what a flow costs in processor time and what the process
            of broker and engine holds in memory. The flows are in the queue before.

  --rows N             flows to store (10000000)
  --seconds N          seconds in which they were received (20)
  --prefixes N         prefixes of a routing table in which both AS numbers of each flow are
                       looked up (0: exporters tell them)
  --dir DIR            where the data goes, as long as it is needed ($TMPDIR); up to 150
                       bytes for each flow
  --output table|json  json: {"rows":N,"rows_per_second":N,"storing_us":N,"merging_us":N,
                       "bytes_per_row":N,"peak_mib":N,"prefixes":N,"loading_table_s":N,
                       "resolved":N}; microseconds of processor time

path        The way of a flow from the datagram to the row: what it costs in processor time
            of collector, broker and engine together, whether any is lost and where, and
            what the programs hold in memory. Exporters of all four protocols send to
            netmeta-standalone, and then to netmeta collect as a process of its own in
            front of netmeta-standalone's broker and engine.

  --shape NAME         standalone, processes or both (both)
  --rate N             flows to send a second, by all exporters together (200000); where
                       the machine cannot take them beside the senders, some are lost:
                       ask for less
  --exporters N        exporters (10)
  --seconds N          seconds to send for (60)
  --dir DIR            where the data goes, as long as it is needed ($TMPDIR); up to 150
                       bytes for each flow
  --output table|json  json: [{"shape":"standalone|processes","sent":N,"sent_per_second":N,
                       "received":N,"stored":N,"lost":N,"lost_by":[{"stage":"...",
                       "unit":"...","reason":"...","count":N}],"cpu_seconds":N,
                       "flows_per_cpu_second":N,"programs":[{"name":"...","cpu_seconds":N,
                       "resident_mib":{"start":N,"after_10s":N,"end":N,"peak":N}}],...}]

profile     Profile of the decoders for the compiler, cmd/netmeta/default.pgo, which every
            build of netmeta uses: to be made anew after changes to the decoders.

Results go to standard output, progress to standard error. collector builds goflow2 at
the version in go.mod into .build/bench and installs nfdump and pmacct with apt-get where
they are missing; storage, ingest and path install ClickHouse's engine. Other work on the
machine makes the numbers worse and less even, for all alike: compare ratios.
USAGE
}

# build_goflow2 builds its command at the version that the decoders are tested against.
build_goflow2() {
	local module=github.com/netsampler/goflow2/v2 version built=.build/bench/goflow2
	version=$(go list -m -f '{{.Version}}' "$module")
	[[ $(go version -m "$built" 2>/dev/null) != *"$module	$version"* ]] || return 0
	say "Building goflow2 $version"
	GOBIN=$PWD/.build/bench go install "$module/cmd/goflow2@$version"
}

# wanted COLLECTOR: whether it is to be measured.
wanted() {
	[[ ",$collectors," == *",$1,"* ]]
}

bench_collector() {
	local collectors=netmeta,netmeta-kafka,nfdump,pmacct,goflow2 args=() previous="" arg captured=""
	for arg in "$@"; do
		case $arg in
		-h | --help)
			usage
			return
			;;
		--collectors=*) collectors=${arg#*=} ;;
		--captures | --captures=*) captured=yes ;;
		esac
		[[ $previous != --collectors ]] || collectors=$arg
		previous=$arg
	done
	if [[ -z $captured && -n ${NETMETA_SHARED:-} ]]; then
		args+=(--captures "$NETMETA_SHARED/captures")
	fi
	need_go
	! wanted nfdump || need_packages nfcapd:nfdump sfcapd:nfdump-sflow
	! wanted pmacct || need_packages nfacctd:pmacct
	! wanted goflow2 || build_goflow2
	mkdir -p .build/bench
	CGO_ENABLED=0 go build -o .build/bench/ ./cmd/netmeta ./internal/bench/collector
	exec .build/bench/collector --netmeta .build/bench/netmeta --goflow2 .build/bench/goflow2 "${args[@]}" "$@"
}

bench_storage() {
	need_go
	need_libchdb
	mkdir -p .build/bench
	CGO_ENABLED=0 go build -o .build/bench/ ./internal/bench/storage
	exec .build/bench/storage "$@"
}

bench_ingest() {
	need_go
	need_libchdb
	mkdir -p .build/bench
	CGO_ENABLED=0 go build -o .build/bench/ ./internal/bench/ingest
	exec .build/bench/ingest "$@"
}

bench_path() {
	need_go
	need_libchdb
	mkdir -p .build/bench
	CGO_ENABLED=0 go build -o .build/bench/ ./cmd/netmeta ./cmd/netmeta-standalone ./internal/bench/path
	exec .build/bench/path --netmeta .build/bench/netmeta --standalone .build/bench/netmeta-standalone "$@"
}

# make_profile has the benchmarks that go through decoders and encoder say which code is
# run most.
make_profile() {
	need_go
	local package
	profiles=$(mktemp -d)
	trap 'rm -rf "$profiles"' EXIT
	for package in netflow sflow; do
		go test -run '^$' -bench DecodeAndEncode -benchtime 2s -o "$profiles/$package.test" \
			-cpuprofile "$profiles/$package.prof" "./internal/$package" >&2
	done
	go tool pprof -proto "$profiles"/*.prof >cmd/netmeta/default.pgo
	say "Wrote cmd/netmeta/default.pgo"
}

case ${1:-} in
collector) bench_collector "${@:2}" ;;
storage) bench_storage "${@:2}" ;;
ingest) bench_ingest "${@:2}" ;;
path) bench_path "${@:2}" ;;
profile) make_profile ;;
-h | --help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
