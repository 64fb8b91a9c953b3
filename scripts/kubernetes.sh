#!/usr/bin/env bash
# Builds a real Kubernetes for tests.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/kubernetes.sh install
       scripts/kubernetes.sh version
       scripts/kubernetes.sh types [--check]

A genuine kube-apiserver with etcd and kubectl, and what runs Pods (kubelet,
kube-controller-manager, kube-scheduler and kube-proxy, as one program), built from
their Go modules, for tests of what deploy renders.

  install   build them into .build/kubernetes; nothing to do when they are there.
            The first time takes some ten minutes of processor time and 3 GB of memory.
  version   the version that is built; exit status 1 when none is
  types     make the CUE definitions of Kubernetes' own types, deploy/cue.mod/gen,
            anew from the Go types of the same version; --check says whether they
            are up to date instead
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$root/scripts/kubernetes
built=$root/.build/kubernetes

die() {
	echo "kubernetes.sh: $*" >&2
	exit 1
}

# wanted prints the version that go.mod asks for.
wanted() {
	sed -n 's/^\tk8s.io\/kubernetes //p' "$here/go.mod"
}

# recipe prints what the binaries are made of.
recipe() {
	(cd "$here" && cat go.mod go.sum ./*/main.go && go env GOVERSION GOARCH) | sha256sum
}

is_built() {
	[[ -e $built/recipe ]] && [[ $(<"$built/recipe") == "$(recipe)" ]]
}

install() {
	if is_built; then
		echo "Kubernetes $(wanted) is in $built"
		return
	fi
	echo "building Kubernetes $(wanted) into $built"
	local version minor command
	version=$(wanted)
	minor=${version#v1.}
	rm -rf "$built.new"
	mkdir -p "$built.new"
	for command in etcd kubectl kube-apiserver node; do
		echo "  $command"
		(cd "$here" && CGO_ENABLED=0 go build -trimpath -o "$built.new/" -ldflags "-s -w \
			-X k8s.io/component-base/version.gitVersion=$version \
			-X k8s.io/component-base/version.gitMajor=1 \
			-X k8s.io/component-base/version.gitMinor=${minor%%.*}" "./$command") ||
			die "$command could not be built (is a Go module proxy reachable, and are 3 GB of memory free?)"
	done
	recipe >"$built.new/recipe"
	rm -rf "$built"
	mv "$built.new" "$built"
}

# types makes deploy/cue.mod/gen, or with --check compares it.
types() {
	local work
	work=$(mktemp -d)
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$work'" EXIT
	cp "$here/go.mod" "$here/go.sum" "$work"
	mkdir -p "$work/types" "$work/cue.mod"
	cp "$here/types/types.go" "$work/types"
	cp "$root/deploy/cue.mod/module.cue" "$work/cue.mod"
	local cue
	cue=$(cd "$root" && go tool -n cue)
	mapfile -t packages < <(sed -n 's/^\t_ "\(.*\)"$/\1/p' "$here/types/types.go")
	(cd "$work" && "$cue" get go "${packages[@]}")
	if [[ ${1:-} == --check ]]; then
		diff -r "$work/cue.mod/gen" "$root/deploy/cue.mod/gen" ||
			die "deploy/cue.mod/gen is out of date: run scripts/kubernetes.sh types"
		return
	fi
	rm -rf "$root/deploy/cue.mod/gen"
	mv "$work/cue.mod/gen" "$root/deploy/cue.mod/gen"
}

case ${1:-} in
install) install ;;
version) is_built && wanted ;;
types) types "${2:-}" ;;
-h | --help | help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
