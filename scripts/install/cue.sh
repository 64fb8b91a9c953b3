# shellcheck shell=bash disable=SC2154 # install.sh sets what is not set here
# Installs cue, and Go if there is none to build it with. Sourced by install.sh.

# cue_version prints the version that go.mod pins.
cue_version() {
	sed -n 's/^\tcuelang.org\/go //p' "$root/go.mod"
}

# cue_command prints what is called as cue. CUE has dropped the short form of commands.
cue_command() {
	cat <<COMMAND
#!/bin/sh
# $mark. Knows NetMeta's commands also without cmd: cue apply ./...
case \${1:-} in
apply | apply-prune | diff | dump) exec /opt/netmeta/bin/cue cmd "\$@" ;;
esac
exec /opt/netmeta/bin/cue "\$@"
COMMAND
}

# cue_is_built: whether the program is that of this checkout, and nobody has changed it.
cue_is_built() {
	[[ -x $opt/bin/cue && -e $opt/cue.built ]] &&
		[[ $(<"$opt/cue.built") == "$(cue_version) $(sum "$opt/bin/cue")" ]]
}

plan_cue() {
	if ! cue_is_built; then
		plan_go
		step build_cue "build cue $(cue_version) of its Go modules, checked by go.sum, into $opt/bin/cue"
	fi
	if [[ -e $bin/cue ]] && ! is_ours "$bin/cue"; then
		advice "there is another $bin/cue, which stays. It may not know 'cue apply ./...'; that is 'cue cmd apply ./...' there, or run $opt/bin/cue"
	elif [[ ! -e $bin/cue || $(<"$bin/cue") != "$(cue_command)" ]]; then
		step put_cue_command "write $bin/cue, which calls it and knows 'cue apply ./...'"
	fi
}

plan_go() {
	go=$(find_go) && return
	go=$opt/go$(version_of go)/bin/go
	[[ ! -e ${go%/bin/go} ]] ||
		fail "${go%/bin/go} is there, but no Go that works is in it: remove it, and run install.sh again"
	need go
	step put_go "unpack Go $(version_of go) into ${go%/bin/go}, since no Go $(wanted_go) or newer was found"
}

put_go() {
	mkdir -p "$opt"
	unpack_go "$stage/go" "${go%/bin/go}"
}

build_cue() {
	(cd "$root" && with_go "$go" build -buildvcs=false -o "$stage/cue" cuelang.org/go/cmd/cue) ||
		fail "could not build cue, see above: are the Go modules reachable (GOPROXY, https_proxy), or in the directory of --offline? Nothing of it was installed"
	put "$stage/cue" "$opt/bin/cue" 755
	printf '%s %s\n' "$(cue_version)" "$(sum "$opt/bin/cue")" >"$opt/cue.built"
}

put_cue_command() { put <(cue_command) "$bin/cue" 755; }
