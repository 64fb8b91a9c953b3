#!/usr/bin/env bash
# Runs kubectl for NetMeta's commands: the one that KUBECTL names, else kubectl, else
# that of k3s.
set -euo pipefail

# What apply-prune needs is switched on by this, in kubectl since 1.27.
export KUBECTL_APPLYSET=true

if [[ -n ${KUBECTL:-} ]]; then
	exec "$KUBECTL" "$@"
elif command -v kubectl >/dev/null; then
	exec kubectl "$@"
elif command -v k3s >/dev/null; then
	exec k3s kubectl "$@"
fi
echo "kubectl.sh: there is neither kubectl nor k3s here: run install.sh, or install kubectl 1.27 or newer and set KUBECONFIG (KUBECTL names one that is elsewhere)" >&2
exit 127
