#!/usr/bin/env bash
# Fetches the release files of the operators that NetMeta is installed with.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/operators.sh fetch [--from DIR]
       scripts/operators.sh print
       scripts/operators.sh list

The operators of Kafka (Strimzi) and ClickHouse (clickhouse-operator), at the versions
and with the checksums in scripts/operators.tsv.

  fetch   download their release files into .build/operators, or with --from take them
          from a directory; a file whose checksum differs is refused
  print   the files as one stream of YAML, which cue cmd apply brings into the
          namespace of the configuration; checks them again
  list    the addresses to download from, for a machine without internet
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
table=$root/scripts/operators.tsv
fetched=$root/.build/operators

die() {
	echo "operators.sh: $*" >&2
	exit 1
}

# rows prints the table without its heading.
rows() {
	grep -v '^#' "$table"
}

# place OPERATOR VERSION URL prints where a file is kept.
place() {
	echo "$fetched/$1-$2/$(basename "$3")"
}

# is_genuine FILE SHA256
is_genuine() {
	[[ -f $1 ]] && [[ $(sha256sum <"$1" | cut -c 1-64) == "$2" ]]
}

fetch() {
	local from=$1 operator version url sum file
	while IFS=$'\t' read -r operator version url sum; do
		file=$(place "$operator" "$version" "$url")
		is_genuine "$file" "$sum" && continue
		mkdir -p "$(dirname "$file")"
		if [[ -n $from ]]; then
			[[ -f $from/$(basename "$url") ]] || die "$from has no $(basename "$url"), which is from $url"
			cp "$from/$(basename "$url")" "$file.new"
		else
			echo "fetching $url"
			curl -fsSL --retry 3 --connect-timeout 20 -o "$file.new" "$url" ||
				die "could not fetch $url (without internet, fetch what 'scripts/operators.sh list' prints elsewhere, and give its directory with --from)"
		fi
		is_genuine "$file.new" "$sum" ||
			die "$(basename "$url") of $operator $version is not the file that was released: its SHA-256 is $(sha256sum <"$file.new" | cut -c 1-64), not $sum. Nothing of it was used; it is in $file.new"
		mv "$file.new" "$file"
	done < <(rows)
	echo "the operators' files are in $fetched"
}

print() {
	local operator version url sum file
	while IFS=$'\t' read -r operator version url sum; do
		file=$(place "$operator" "$version" "$url")
		[[ -f $file ]] || die "$file is missing: run scripts/operators.sh fetch, or install.sh (or set deployOperators: false in the configuration, where the cluster has the operators)"
		is_genuine "$file" "$sum" || die "$file is not what was released: remove it, and run scripts/operators.sh fetch"
		echo ---
		cat "$file"
		echo
	done < <(rows)
}

case ${1:-} in
fetch)
	case ${2:-} in
	"") fetch "" ;;
	--from) fetch "${3:?--from: a directory is missing}" ;;
	*) die "unknown argument $2" ;;
	esac
	;;
print) print ;;
list) rows | cut -f 3 ;;
-h | --help | help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
