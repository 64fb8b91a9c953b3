#!/usr/bin/env bash
# Lints and tests all of NetMeta, after installing what that takes: Debian packages
# (a browser, real exporters, linters, containerd), the ClickHouse engine by npm, a
# genuine Apache Kafka by Maven, and a genuine Kubernetes from its Go modules.
# Arguments go to go test, for example:
#
#   scripts/test.sh                          everything
#   scripts/test.sh -run TestRestart ./cmd/netmeta-standalone
#
# Where Maven's repository cannot be reached, the tests against the genuine Kafka
# are skipped, loudly. NETMETA_REQUIRE=all makes every skip a failure.
# NETMETA_SHARED names a folder with captures of real exporters to test against.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/requirements.sh
. scripts/requirements.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
	sed -n '2,/^set /s/^# \{0,1\}//p' scripts/test.sh
	exit
fi

if [ -n "${NETMETA_SHARED:-}" ]; then
	NETMETA_SHARED=$(realpath "$NETMETA_SHARED")
	export NETMETA_SHARED
fi

install_all() {
	need_go
	need_packages shellcheck:shellcheck chromium:chromium,fonts-dejavu-core tshark:tshark softflowd:softflowd pmacctd:pmacct snmpd:snmpd nginx:nginx-light scamper:scamper \
		gcc:gcc,libc6-dev java:default-jre-headless mvn:maven curl:curl debootstrap:debootstrap protoc:protobuf-compiler \
		containerd:containerd runc:runc /usr/lib/cni/bridge:containernetworking-plugins ip:iproute2 nft:nftables iptables:iptables conntrack:conntrack setpriv:util-linux
	need_python_modules confluent_kafka:python3-confluent-kafka google.protobuf:python3-protobuf
	need_libchdb
	scripts/web.sh --check
	scripts/kubernetes.sh install
	if ! scripts/kafka.sh install; then
		[ "${NETMETA_REQUIRE:-}" != all ] || fail "the genuine Kafka could not be installed, and NETMETA_REQUIRE=all allows no skip"
		say "SKIPPED: the genuine Kafka could not be installed; its tests are left out"
	fi
}

# generated prints a checksum of everything that go generate makes.
generated() {
	cat pb/*.pb.go doc/configuration.md doc/counters.md doc/fields.md doc/metrics.md doc/pipeline-counters.md doc/protocols.md doc/traces.md deploy/dashboards/json/*.json | sha256sum
}

lint() {
	say "gofmt, go vet, staticcheck, shellcheck, shfmt"
	local unformatted
	unformatted=$(gofmt -l cmd deploy internal pb schema scripts toolbox)
	[ -z "$unformatted" ] || fail "not formatted, run gofmt -w on: $unformatted"
	go vet ./...
	go tool staticcheck ./...
	mapfile -t shell < <(grep -rlE '^#!/usr/bin/env bash|^# shellcheck shell=bash' --exclude-dir=node_modules scripts .ci ./*.sh)
	shellcheck -x "${shell[@]}"
	go tool shfmt -d "${shell[@]}"

	say "cue fmt, cue vet"
	(cd deploy && go tool cue fmt --check ./components/... ./kubernetes ./single-node)
	(cd deploy && go tool cue vet -c=false ./...)

	say "generated files"
	scripts/kubernetes.sh types --check
	local before
	before=$(generated)
	go generate ./...
	[ "$before" = "$(generated)" ] || fail "generated files were out of date: commit what go generate ./... has made"
}

install_all
if [ $# -gt 0 ]; then
	exec go test -race "$@"
fi
lint
say "Building and testing"
CGO_ENABLED=0 go build -o .build/ ./cmd/...
go test -race -timeout 60m ./...
for module in scripts/containers toolbox; do
	(cd "$module" && go vet ./... && go test ./...)
done
