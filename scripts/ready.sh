#!/usr/bin/env bash
# Waits until objects of NetMeta are ready, and says what is not and why.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/ready.sh NAMESPACE KIND/NAME...
       scripts/ready.sh --definitions NAME...

Waits until each object is ready, and prints what it waits for when that changes. cue cmd
apply calls it. Exit status 1 when something has failed or takes too long.

With --definitions, waits for a minute until Kubernetes knows these definitions of objects,
and not at all where one is not there.

  NETMETA_TIMEOUT   seconds to wait (default 900); 0 does not wait
  KUBECTL           the kubectl to ask with, if it is not called so
USAGE
}

kubectl=$(dirname "${BASH_SOURCE[0]}")/kubectl.sh
timeout=${NETMETA_TIMEOUT:-900}

# get KIND NAME TEMPLATE prints what a Go template makes of an object.
get() {
	"$kubectl" get -n "$namespace" "$1" "$2" --output "go-template=$3" 2>&1
}

conditions='{{range .status.conditions}}{{.type}}={{.status}} {{.reason}} {{.message}}{{"\n"}}{{end}}'

# state_of KIND NAME prints "ready", "failed: WHY" or "waiting: WHY".
state_of() {
	local kind=$1 name=$2 text why
	case $kind in
	Deployment | StatefulSet)
		text=$(get "$kind" "$name" '{{.metadata.generation}} {{or .status.observedGeneration 0}} {{.spec.replicas}} {{or .status.updatedReplicas 0}} {{or .status.readyReplicas 0}}') ||
			{ echo "waiting: $text" && return; }
		local generation observed wanted updated ready
		read -r generation observed wanted updated ready <<<"$text"
		if [[ $generation == "$observed" && $updated == "$wanted" && $ready == "$wanted" ]]; then
			echo ready
		else
			echo "waiting: $ready of $wanted ready$(pods "$name")"
		fi
		;;
	Job)
		text=$(get "$kind" "$name" "$conditions") || { echo "waiting: $text" && return; }
		if grep -q '^Complete=True' <<<"$text"; then
			echo ready
		elif why=$(grep '^Failed=True' <<<"$text"); then
			echo "failed: ${why#*=True }; see kubectl logs -n $namespace job/$name"
		else
			echo "waiting: it has not ended$(pods "${name%-*}")"
		fi
		;;
	ClickHouseInstallation)
		text=$(get "$kind" "$name" '{{with .status}}{{.status}} {{or .error ""}}{{end}}') || { echo "waiting: $text" && return; }
		if [[ $text == Completed* ]]; then
			echo ready
		else
			echo "waiting: clickhouse-operator says ${text:-nothing yet}$(pods clickhouse)"
		fi
		;;
	*) # the objects of Strimzi
		text=$(get "$kind" "$name" "$conditions") || { echo "waiting: $text" && return; }
		if grep -q '^Ready=True' <<<"$text"; then
			echo ready
		elif why=$(grep -m1 '^NotReady=True' <<<"$text"); then
			echo "waiting: ${why#*=True }"
		else
			echo "waiting: strimzi has not looked at it yet"
		fi
		;;
	esac
}

# pods COMPONENT prints why its containers do not run, if Kubernetes knows.
pods() {
	local text
	# shellcheck disable=SC2016 # variables of the template
	text=$("$kubectl" get pods -n "$namespace" --selector "netmeta/component=$1" --output 'go-template={{range .items}}{{$pod := .metadata.name}}{{range .status.conditions}}{{if and (eq .type "PodScheduled") (eq .status "False")}}; {{$pod}}: {{.message}}{{end}}{{end}}{{range .status.containerStatuses}}{{with .state.waiting}}; {{$pod}}: {{.reason}} {{or .message ""}}{{end}}{{end}}{{end}}' 2>/dev/null) || return 0
	printf %s "$text"
}

if [[ $# -lt 1 || $1 == -h || $1 == --help ]]; then
	usage
	exit $(($# < 1 ? 2 : 0))
fi

if [[ $1 == --definitions ]]; then
	shift
	deadline=$((SECONDS + 60))
	for definition; do
		until text=$("$kubectl" get customresourcedefinition "$definition" --output "go-template=$conditions" 2>&1) && grep -q '^Established=True' <<<"$text"; do
			if [[ $text == *NotFound* ]]; then
				echo "ready.sh: the cluster does not know $definition: install the operators, or have them installed with deployOperators: true" >&2
				exit 1
			fi
			if ((SECONDS >= deadline)); then
				echo "ready.sh: Kubernetes does not take $definition: $text" >&2
				exit 1
			fi
			sleep 0.2
		done
	done
	exit 0
fi

namespace=$1
shift
[[ $timeout =~ ^[0-9]+$ ]] || {
	echo "ready.sh: NETMETA_TIMEOUT=$timeout is no number of seconds" >&2
	exit 2
}
[[ $timeout != 0 ]] || exit 0

deadline=$((SECONDS + timeout))
declare -A said=()
pending=("$@")
while :; do
	still=() failed=0
	for object in "${pending[@]}"; do
		state=$(state_of "${object%%/*}" "${object#*/}")
		if [[ ${said[$object]:-} != "$state" ]]; then
			echo "$object: $state"
			said[$object]=$state
		fi
		case $state in
		ready) ;;
		failed*) failed=1 ;;&
		*) still+=("$object") ;;
		esac
	done
	((failed == 0)) || break
	if [[ ${#still[@]} == 0 ]]; then
		echo "all of NetMeta is ready"
		exit 0
	fi
	((SECONDS < deadline)) || break
	pending=("${still[@]}")
	sleep "${NETMETA_POLL:-5}"
done
{
	echo
	if ((failed)); then
		echo "ready.sh: not ready:"
	else
		echo "ready.sh: not ready after $timeout s:"
	fi
	for object in "${still[@]}"; do
		echo "  $object: ${said[$object]}"
	done
	echo "The same command goes on from here. To look closer: kubectl get pods -n $namespace; kubectl describe pod -n $namespace NAME; kubectl logs -n $namespace NAME"
} >&2
exit 1
