#!/usr/bin/env bash
# Renews the pictures of the documentation in doc/images: starts NetMeta with the
# demo's traffic on a temporary directory and free ports, opens its pages in Chromium,
# and keeps what they show. Takes some minutes.
#
#   scripts/screenshots.sh             all pictures
#   scripts/screenshots.sh DIRECTORY   to another place than doc/images
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/requirements.sh
. scripts/requirements.sh

case ${1-} in
-h | --help)
	sed -n '2,/^set /s/^# \{0,1\}//p' scripts/screenshots.sh
	exit
	;;
esac
images=$(realpath -m "${1:-doc/images}")
mkdir -p "$images"

need_go
need_packages chromium:chromium,fonts-dejavu-core pngquant:pngquant
need_libchdb
scripts/web.sh --install

say "Taking pictures"
NETMETA_PICTURES=$images NETMETA_PICTURES_FLOWS=3000000 \
	go test -count=1 -timeout 30m -run '^TestBrowserShowsTheDemo$' ./cmd/netmeta-standalone

# 256 colours are enough for a page, at a third of the size.
say "Making them small"
for image in "$images"/*.png; do
	pngquant --force --skip-if-larger --speed 1 --strip --output "$image" 256 "$image" || [ $? = 98 ]
done
du -h "$images"/*.png
