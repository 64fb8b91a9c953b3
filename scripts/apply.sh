#!/usr/bin/env bash
# Applies NetMeta's objects to Kubernetes, stage by stage.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/apply.sh NAMESPACE <STAGES

cue cmd apply and apply-prune call it. STAGES are lines of a word, a tab, and JSON that
kubectl takes:

  apply        objects
  definitions  names of definitions of objects; waits until Kubernetes knows them
  parent       the Secret in which kubectl keeps which kinds of members the set has
  prune        members of the set, named netmeta; other members of it are removed
  wait         objects as KIND/NAME; waits until they are ready
USAGE
}

if [[ $# -ne 1 || $1 == -h || $1 == --help ]]; then
	usage
	exit $(($# == 1 ? 0 : 2))
fi
namespace=$1
here=$(dirname "${BASH_SOURCE[0]}")

# kubectl_apply takes more arguments, and objects on its standard input.
kubectl_apply() {
	"$here/kubectl.sh" apply --server-side --force-conflicts "$@" -f -
}

while IFS=$'\t' read -r stage json; do
	case $stage in
	apply)
		kubectl_apply --field-manager=netmeta --validate=strict <<<"$json"
		;;
	definitions)
		read -ra names <<<"$json"
		"$here/ready.sh" --definitions "${names[@]}" </dev/null
		;;
	parent)
		# Clusters that do not know of a kind have no members of it.
		if "$here/kubectl.sh" get customresourcedefinition podmonitors.monitoring.coreos.com </dev/null &>/dev/null; then
			json=${json/contains-group-kinds\":\"/contains-group-kinds\":\"PodMonitor.monitoring.coreos.com,}
		fi
		kubectl_apply --field-manager=kubectl-applyset <<<"$json" >/dev/null
		;;
	prune)
		kubectl_apply --field-manager=netmeta --validate=strict --prune --applyset=netmeta --namespace="$namespace" <<<"$json"
		;;
	wait)
		read -ra names <<<"$json"
		"$here/ready.sh" "$namespace" "${names[@]}" </dev/null
		;;
	*)
		echo "apply.sh: there is no stage $stage" >&2
		exit 2
		;;
	esac
done
