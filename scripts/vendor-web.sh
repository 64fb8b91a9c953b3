#!/usr/bin/env bash
# Remakes, or checks, the third-party files that the console serves.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/vendor-web.sh [--check]

Copies Apache ECharts and its licences, unmodified, from the npm package that
internal/console/web/package-lock.json pins to internal/console/web/vendor.
Needs npm. Packages are installed below .build/web, where the console's browser
tests find axe-core.

  --check   change nothing; exit with status 1 when a committed file differs
USAGE
}

check=
case ${1-} in
'') ;;
--check) check=yes ;;
-h | --help)
	usage
	exit
	;;
*)
	usage >&2
	exit 2
	;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
web=$root/internal/console/web
installed=$root/.build/web

mkdir -p "$installed"
if ! cmp -s "$web/package-lock.json" "$installed/installed-lock.json"; then
	cp "$web/package.json" "$web/package-lock.json" "$installed/"
	echo "installing the packages of internal/console/web/package-lock.json in .build/web" >&2
	npm ci --prefix "$installed" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	cp "$web/package-lock.json" "$installed/installed-lock.json"
fi

# Package file, and its place below vendor.
files=(
	echarts/dist/echarts.esm.min.js echarts/echarts.esm.min.js
	echarts/LICENSE echarts/LICENSE
	echarts/NOTICE echarts/NOTICE
	echarts/licenses/LICENSE-d3 echarts/LICENSE-d3
)
differ=0
for ((i = 0; i < ${#files[@]}; i += 2)); do
	from=$installed/node_modules/${files[i]}
	to=$web/vendor/${files[i + 1]}
	if cmp -s "$from" "$to"; then
		continue
	fi
	if [[ $check ]]; then
		echo "internal/console/web/vendor/${files[i + 1]} is not the ${files[i]} that package-lock.json pins: run scripts/vendor-web.sh" >&2
		differ=1
		continue
	fi
	install -D -m 644 "$from" "$to"
	echo "updated internal/console/web/vendor/${files[i + 1]}"
done
exit "$differ"
