#!/usr/bin/env bash
# Builds NetMeta's container images, and writes down which images are applied.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/requirements.sh
. scripts/requirements.sh

usage() {
	cat <<'USAGE'
Usage: scripts/build_containers.sh [--offline] [--plugin DIR] [--architecture ARCH]

Builds the images of netmeta, of the toolbox, and of Grafana with its plugin for ClickHouse, without a
container daemon, and imports them into k3s if that is on this machine. Looks up the
digests of the other images, and writes all into deploy/single-node/images_local.cue.
The same commit makes the same images of netmeta and the toolbox.

  --offline            look nothing up and fetch nothing: builds netmeta and the
                       toolbox, and leaves the other digests as they are
  --plugin DIR         the unpacked plugin, grafana-clickhouse-datasource, in place of
                       fetching it. Grafana checks its signature at the start
  --architecture ARCH  amd64 or arm64 (default: that of this machine)

The archives are in .build/containers, for k3s ctr images import or a registry.
USAGE
}

offline=() plugin="" architecture=""
while [ $# -gt 0 ]; do
	case $1 in
	--offline) offline=(-offline) ;;
	--plugin) plugin=$(realpath "${2:?--plugin: a directory is missing}") && shift ;;
	--architecture) architecture=${2:?--architecture: amd64 or arm64} && shift ;;
	-h | --help)
		usage
		exit
		;;
	*) fail "unknown argument $1; see --help" ;;
	esac
	shift
done

need_go
architecture=${architecture:-$(go env GOARCH)}
case $architecture in
amd64 | arm64) ;;
*) fail "--architecture $architecture: amd64 or arm64" ;;
esac
out=$PWD/.build/containers
cue=$PWD/deploy/single-node/images_local.cue
mkdir -p "$out"

# expression EXPRESSION prints what deploy/single-node says of it.
expression() {
	(cd deploy/single-node && go tool cue export . --expression "$1" "${@:2}")
}

# fetch_plugin VERSION unpacks the plugin into $plugin.
fetch_plugin() {
	need_packages curl:curl unzip:unzip
	plugin=$out/plugin-$1-$architecture/grafana-clickhouse-datasource
	[ -e "$plugin/plugin.json" ] && return
	say "Fetching Grafana's plugin for ClickHouse $1"
	mkdir -p "$(dirname "$plugin")"
	curl -fsSL --retry 3 -o "$out/plugin.zip" "https://grafana.com/api/plugins/grafana-clickhouse-datasource/versions/$1/download?os=linux&arch=$architecture" ||
		fail "could not fetch the plugin (--plugin takes one that is unpacked already, --offline builds netmeta and the toolbox alone)"
	unzip -q -o "$out/plugin.zip" -d "$(dirname "$plugin")"
}

version=$(git describe --tags --always --dirty)
say "Building netmeta $version for $architecture"
CGO_ENABLED=0 GOOS=linux GOARCH=$architecture go build -trimpath -buildvcs=true -o "$out/netmeta" ./cmd/netmeta
rm -rf "$out/tools"
mkdir -p "$out/tools"
for tool in capture:capture topic:topic shell:sh; do
	(cd toolbox && CGO_ENABLED=0 GOOS=linux GOARCH=$architecture go build -trimpath -buildvcs=true -ldflags "-s -w" -o "$out/tools/${tool#*:}" "./${tool%%:*}")
done

# Digests of before are looked up again.
if [ ${#offline[@]} = 0 ]; then
	before=$out/images_local.cue.before
	rm -f "$before"
	[ ! -e "$cue" ] || mv "$cue" "$before"
	trap '[ -e "$cue" ] || [ ! -e "$before" ] || mv "$before" "$cue"' EXIT
	[ -n "$plugin" ] || fetch_plugin "$(expression _grafana.pluginVersion --out text)"
fi
grafana=docker.io/grafana/grafana:$(expression _grafana.version --out text)
expression netmeta.images >"$out/images.json"

(cd scripts/containers && go build -o "$out/containers" .)
"$out/containers" -binary "$out/netmeta" -toolbox "$out/tools" -architecture "$architecture" -version "$version" \
	-grafana "$grafana" -plugin "$plugin" -out "$out" -cue "$cue" "${offline[@]}" <"$out/images.json"
say "Wrote $cue"

if command -v k3s >/dev/null; then
	for image in netmeta toolbox grafana; do
		[ -e "$out/$image.tar" ] || continue
		say "Importing $image into k3s"
		# With a record for the digest, by which Pods ask for it.
		as_root "$(command -v k3s)" ctr images import --base-name "netmeta.local/$image" --digests "$out/$image.tar"
	done
fi
