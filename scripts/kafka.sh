#!/usr/bin/env bash
# Installs and runs a genuine Apache Kafka broker for tests.
set -euo pipefail

usage() {
	cat <<'USAGE'
Usage: scripts/kafka.sh install
       scripts/kafka.sh run --port N --dir DIR [--secure N --properties FILE --scram USER]
       scripts/kafka.sh version

A genuine Apache Kafka for tests, as the cluster runs it: KRaft, no ZooKeeper.

  install   resolve the broker with Maven into .build/kafka; nothing to do when it
            is there already. Needs Java 17 or later and Maven (mvn).
  run       one combined broker and controller in the foreground, on 127.0.0.1 only,
            with a small heap. Started again with the same DIR it continues with
            the data it finds there. Ends on SIGTERM.
            --port N   port for clients
            --dir DIR  data and configuration of this broker; made if missing
            --secure N         a second port for clients, with TLS and SASL
            --properties FILE  its certificates and mechanisms, and whatever else the
                               broker's configuration is to have besides
            --scram USER       a user of it, MECHANISM=[name=NAME,password=PASSWORD];
                               may be given several times; counts when DIR is made
  version   the version that is installed; exit status 1 when none is

  NETMETA_KAFKA_HEAP   Java heap of the broker (default 320m)
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$root/scripts/kafka
installed=$root/.build/kafka

die() {
	echo "kafka.sh: $*" >&2
	exit 1
}

# need COMMAND PACKAGE: stops with the way to get COMMAND when it is missing.
need() {
	command -v "$1" >/dev/null && return
	local how="apt-get install $2"
	[[ $(id -u) == 0 ]] || how="ask an administrator to run: $how"
	die "$1 is not installed; $how"
}

need_java() {
	need java default-jre-headless
	local version
	version=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.specification.version = //p')
	[[ ${version%%.*} -ge 17 ]] || die "Kafka 4 needs Java 17 or later, this is Java ${version:-unknown}; apt-get install openjdk-17-jre-headless"
}

# wanted prints the version that pom.xml asks for.
wanted() {
	sed -n '/<artifactId>kafka_2.13</,/<version>/s/.*<version>\(.*\)<.*/\1/p' "$here/pom.xml"
}

is_installed() {
	[[ -e $installed/libs/kafka_2.13-$(wanted).jar ]] &&
		cmp -s "$here/pom.xml" "$installed/pom.xml"
}

install() {
	if is_installed; then
		echo "Apache Kafka $(wanted) is installed in $installed"
		return
	fi
	need_java
	need mvn maven
	echo "installing Apache Kafka $(wanted) into $installed"
	# Resolved beside the old one and moved at the end: an interrupted install is none.
	rm -rf "$installed.new"
	mkdir -p "$installed.new"
	mvn --batch-mode --quiet -Dstyle.color=never --file "$here/pom.xml" dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$installed.new/libs" ||
		die "Maven could not resolve $here/pom.xml; is a Maven repository reachable?"
	cp "$here/pom.xml" "$installed.new/pom.xml"
	rm -rf "$installed"
	mv "$installed.new" "$installed"
}

# free_port prints a port of 127.0.0.1 on which nothing listens.
free_port() {
	local port
	while true; do
		port=$((20000 + RANDOM % 12000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# configure PORT DIR SECURE_PORT PROPERTIES writes DIR/server.properties; the last two
# may be empty.
configure() {
	local controller secure=""
	controller=$(free_port)
	[[ -z $3 ]] || secure=,SECURE://127.0.0.1:$3
	cat >"$2/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=CLIENTS://127.0.0.1:$1,CONTROLLER://127.0.0.1:$controller$secure
advertised.listeners=CLIENTS://127.0.0.1:$1$secure
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENTS
log.dirs=$2/data
num.partitions=1
auto.create.topics.enable=false
# There is one broker: what Kafka keeps for itself cannot have three replicas.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# One that was killed may come back at once, not when its old session has run out.
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=1000
# Tests do not want to wait for members that may yet join a consumer group.
group.initial.rebalance.delay.ms=0
# Segments are made ahead at their full size; a test needs little.
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
PROPERTIES
	[[ -z $4 ]] || cat "$4" >>"$2/server.properties"
}

run() {
	local port="" dir="" secure="" properties="" scram=()
	while (($#)); do
		[[ $# -ge 2 ]] || die "$1 needs a value; see --help"
		case $1 in
		--port) port=$2 ;;
		--dir) dir=$2 ;;
		--secure) secure=$2 ;;
		--properties) properties=$2 ;;
		--scram) scram+=(--add-scram "$2") ;;
		*) die "run does not know $1; see --help" ;;
		esac
		shift 2
	done
	[[ $port =~ ^[0-9]+$ && $port -ge 1 && $port -le 65535 ]] || die "run needs --port N, 1 to 65535, and got '$port'"
	[[ -n $dir ]] || die "run needs --dir DIR"
	need_java
	is_installed || die "Apache Kafka $(wanted) is not installed; run: scripts/kafka.sh install"

	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	configure "$port" "$dir" "$secure" "$properties"
	local heap=${NETMETA_KAFKA_HEAP:-320m}
	local java=(java -Xms64m "-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError
		-Djava.awt.headless=true "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$installed/libs/*")
	if [[ ! -e $dir/data/meta.properties ]]; then
		"${java[@]}" kafka.tools.StorageTool format --config "$dir/server.properties" \
			--cluster-id NetMeta-test-Kafka-000 --ignore-formatted "${scram[@]}"
	fi
	# exec: whoever kills this process kills the broker, not a shell in front of it.
	exec "${java[@]}" kafka.Kafka "$dir/server.properties"
}

case ${1:-} in
install) install ;;
run) run "${@:2}" ;;
version)
	is_installed || die "Apache Kafka $(wanted) is not installed"
	wanted
	;;
-h | --help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
