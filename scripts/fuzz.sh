#!/usr/bin/env bash
# Runs the fuzz targets of the module, each for ten minutes, and says what they find:
#
#   scripts/fuzz.sh                       all of them, one after the other
#   scripts/fuzz.sh --time 30s -j 2       each for half a minute, two at a time
#   scripts/fuzz.sh sflow FuzzEthernet    those whose package or name contains one of these
#   scripts/fuzz.sh --keep                and keep what they have learned in the repository
#
# --time DURATION   how long each target runs (default 10m; 0s with --keep: not at all)
# -j N              how many run at the same time (default 1); they share the processors
# --keep            copy inputs from Go's fuzz cache to testdata/fuzz of the package,
#                   smallest first, that run code which no input before them has run
#
# An input that makes a target fail is written to testdata/fuzz by Go, so that go test
# runs it from then on. The exit code is 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/requirements.sh
. scripts/requirements.sh

largest_input=4096     # bytes of an input that is kept
largest_corpus=2000000 # bytes of all inputs in the repository

duration=10m
jobs=1
keep=
filters=()
while [ $# -gt 0 ]; do
	case $1 in
	--time | -j)
		[ $# -ge 2 ] || fail "$1 needs a value"
		if [ "$1" = -j ]; then jobs=$2; else duration=$2; fi
		shift
		;;
	--keep) keep=yes ;;
	-h | --help)
		sed -n '2,/^set /s/^# \{0,1\}//p' scripts/fuzz.sh
		exit
		;;
	-*) fail "unknown option $1, see --help" ;;
	*) filters+=("$1") ;;
	esac
	shift
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || fail "-j $jobs: not a number of targets"
[[ $duration =~ ^[0-9]+[smh]$ ]] || fail "--time $duration: not a duration such as 30s, 10m or 2h"
need_go

work=$(mktemp -d)
running=()
# cleanup ends what still runs, with the processes that it has started.
cleanup() {
	local pid
	for pid in "${running[@]}"; do
		kill -- "-$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
set -m # a process group for each target

# find_targets sets targets to the "PACKAGE NAME" of those that were asked for.
find_targets() {
	local directories target filter
	# Only these are worth the time to compile their tests.
	mapfile -t directories < <(grep -rl --include='*_test.go' '^func Fuzz' cmd internal pb schema | xargs dirname | sort -u | sed 's|^|./|')
	go test -list '^Fuzz' "${directories[@]}" >"$work/list" || fail "cannot list the fuzz targets"
	while read -r target; do
		[ ${#filters[@]} -gt 0 ] || targets+=("$target")
		for filter in "${filters[@]}"; do
			if [[ $target == *"$filter"* ]]; then
				targets+=("$target")
				break
			fi
		done
	done < <(awk '/^Fuzz/ { names[++n] = $1 } /^ok/ { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }' "$work/list")
	[ ${#targets[@]} -gt 0 ] || fail "no fuzz target matches: ${filters[*]:-}"
}

# progress prints what a target has last said about itself.
progress() {
	{ grep '^fuzz: elapsed' "$work/$1.log" || echo "starting"; } | tail -n 1 | sed 's/^fuzz: //'
}

# report says how the run of target number $1 has ended; $2 is its exit code.
report() {
	local package name input
	read -r package name <<<"${targets[$1]}"
	input=$(sed -n 's/^ *Failing input written to //p' "$work/$1.log")
	# Go says the last where its time is over while it works on an input, which is fine.
	if [ "$2" = 0 ] || { [ -z "$input" ] && grep -q '^ *context deadline exceeded$' "$work/$1.log"; }; then
		say "$name of $package: nothing found ($(progress "$1"))"
		return
	fi
	failures=$((failures + 1))
	if [ -z "$input" ]; then
		say "$name of $package could not run:"
		tail -n 30 "$work/$1.log" >&2
		return
	fi
	say "$name of $package FAILS. The input is $(go list -f '{{.Dir}}' "$package")/$input"
	sed -n '/^--- FAIL/,/Failing input/p' "$work/$1.log" | head -n 40 >&2
	echo "Again: go test -run '^$name\$/^${input##*/}\$' $package" >&2
}

# run_targets runs all targets, at most $jobs at a time.
run_targets() {
	local next=0 i active=() still last_said=$SECONDS processors parallel package name
	processors=$(nproc)
	parallel=$((processors > jobs ? processors / jobs : 1))
	while [ $next -lt ${#targets[@]} ] || [ ${#active[@]} -gt 0 ]; do
		while [ $next -lt ${#targets[@]} ] && [ ${#active[@]} -lt "$jobs" ]; do
			read -r package name <<<"${targets[next]}"
			say "[$((next + 1))/${#targets[@]}] $name of $package, for $duration"
			go test -run '^$' -fuzz "^$name\$" -fuzztime "$duration" -parallel "$parallel" "$package" >"$work/$next.log" 2>&1 &
			running[next]=$!
			active+=("$next")
			next=$((next + 1))
		done
		sleep 1
		still=()
		for i in "${active[@]}"; do
			if kill -0 "${running[i]}" 2>/dev/null; then
				still+=("$i")
				continue
			fi
			if wait "${running[i]}"; then report "$i" 0; else report "$i" $?; fi
			unset "running[i]"
		done
		active=("${still[@]}")
		if [ $((SECONDS - last_said)) -ge 30 ]; then
			last_said=$SECONDS
			for i in "${active[@]}"; do
				echo "    ${targets[i]#*/*/*/}: $(progress "$i")" >&2
			done
		fi
	done
}

# covered prints the blocks of code that the inputs run whose names match $2, for the
# target named $1 whose binary and corpus are in the working directory. It fails if one
# of them makes the target fail, or is none of its inputs.
covered() {
	./target -test.run "^$1\$/$2" -test.coverprofile profile >/dev/null 2>&1 || return 1
	awk '$3 > 0 { print $1 }' profile | sort -u
}

# keep_inputs copies to the repository what target $2 of package $1 has found out.
keep_inputs() {
	local package=$1 name=$2 directory cache covering kept=0 input place=$work/keep
	directory=$(go list -f '{{.Dir}}' "$package")
	cache=$(go env GOCACHE)/fuzz/$package/$name
	[ -d "$cache" ] || return 0
	rm -rf "$place"
	mkdir -p "$place"
	[ ! -d "$directory/testdata" ] || cp -r "$directory/testdata" "$place"
	mkdir -p "$place/testdata/fuzz/$name" "$directory/testdata/fuzz/$name"
	# What a target runs may all be in other packages of the module.
	covering=$(go list -test -deps -f '{{if and .Module (not .ForTest)}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}' "$package" |
		grep -v '\.test$' | paste -sd,)
	go test -c -coverpkg "$covering" -o "$place/target" "$package"
	pushd "$place" >/dev/null
	covered "$name" '' >known || fail "$name of $package fails with the inputs that it has already"
	while read -r input; do
		cp "$cache/$input" "testdata/fuzz/$name/"
		if covered "$name" "^$input\$" >now && [ -n "$(comm -13 known now)" ]; then
			sort -u known now -o known
			cp "$cache/$input" "$directory/testdata/fuzz/$name/"
			kept=$((kept + 1))
		fi
		rm "testdata/fuzz/$name/$input"
	done < <(find "$cache" -type f -size "-${largest_input}c" -printf '%s %f\n' | sort -n | cut -d ' ' -f 2)
	popd >/dev/null
	rmdir --ignore-fail-on-non-empty "$directory/testdata/fuzz/$name" "$directory/testdata/fuzz"
	say "$name of $package: $kept inputs kept"
}

# check_corpus keeps the repository small.
check_corpus() {
	local size
	size=$(find . -path '*/testdata/fuzz/*' -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }')
	say "$size bytes of inputs in the repository"
	[ "$size" -le "$largest_corpus" ] || fail "that is more than $largest_corpus: remove some"
}

targets=()
failures=0
find_targets
[[ $duration =~ ^0+[smh]$ ]] || run_targets
if [ -n "$keep" ]; then
	for target in "${targets[@]}"; do
		read -r package name <<<"$target"
		keep_inputs "$package" "$name"
	done
	check_corpus
fi
[ $failures = 0 ] || fail "$failures of ${#targets[@]} targets failed"
