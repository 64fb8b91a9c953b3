#!/usr/bin/env bash
# Builds, or checks, the page that the console serves.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/web.sh [--check|--install|--test]

Checks the types of internal/console/web/src and builds it into
internal/console/web/dist, which the binary embeds, together with the licences of
the libraries inside. Needs Node.js 20.19 or later and npm. Packages, at the
versions of internal/console/web/package-lock.json, are installed below
.build/web, where the console's browser tests find axe-core.

  --check     change nothing; exit with status 1 when dist is not what the
              sources make
  --install   only install the packages
  --test      only run the tests of the page's modules, with Node.js
USAGE
}

mode=build
case ${1-} in
'') ;;
--check) mode=check ;;
--install) mode=install ;;
--test) mode=modules ;;
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
bin=$installed/node_modules/.bin

mkdir -p "$installed"
if ! cmp -s "$web/package-lock.json" "$installed/installed-lock.json"; then
	cp --remove-destination "$web/package.json" "$web/package-lock.json" "$installed/"
	echo "installing the packages of internal/console/web/package-lock.json in .build/web" >&2
	npm ci --prefix "$installed" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	cp --remove-destination "$web/package-lock.json" "$installed/installed-lock.json"
fi
# Node.js looks for packages above the file that asks for them. A link, since Go
# would search a folder for packages of its own.
ln -sfn ../../../.build/web/node_modules "$web/node_modules"
[ "$mode" != install ] || exit 0

cd "$web"
if [ "$mode" = modules ]; then
	"$bin/vite" build --logLevel warn --config vite.test.config.ts --emptyOutDir --outDir "$installed/test"
	exec node --test --test-reporter=tap "$installed"/test/*.mjs
fi
out=$web/dist
[ "$mode" != check ] || out=$installed/dist
"$bin/tsc" -p tsconfig.json
"$bin/vite" build --logLevel warn --emptyOutDir --outDir "$out"

# The licences of what is bundled: of every package that is not only for building.
{
	echo "The page contains the following libraries, whole or in part."
	node -e '
		const lock = require("./package-lock.json");
		for (const [path, p] of Object.entries(lock.packages))
			if (path && !p.dev && !p.devOptional) console.log(path.replace("node_modules/", "") + "\t" + p.version + "\t" + (p.license ?? ""));
	' | LC_ALL=C sort | while IFS=$'\t' read -r name version license; do
		printf '\n======== %s %s (%s)\n' "$name" "$version" "$license"
		for file in LICENSE LICENSE.txt LICENSE.md NOTICE licenses/LICENSE-d3; do
			[ ! -f "node_modules/$name/$file" ] || {
				printf '\n'
				cat "node_modules/$name/$file"
			}
		done
	done
} >"$out/licenses.txt"

if [ "$mode" = check ] && ! diff -rq "$web/dist" "$out" >&2; then
	echo "internal/console/web/dist is not what internal/console/web/src makes: run scripts/web.sh and commit" >&2
	exit 1
fi
