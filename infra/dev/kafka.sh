#!/usr/bin/env bash
#
# Runs a real Apache Kafka (KRaft, no ZooKeeper) on 127.0.0.1 from the jars on Maven Central:
# no Docker, no Kafka tarball. For tests and laptops, never for production.
#
#   kafka.sh start        [--nodes 1|3] [--dir DIR] [--port BASE] [--set key=value]...
#   kafka.sh stop         --dir DIR [--wipe]     ask every broker to stop, end those that do not
#   kafka.sh kill         --dir DIR --node N     kill -9: one broker dies without a goodbye
#   kafka.sh restart-node --dir DIR --node N     stop one broker if it runs, start it on the data it had
#   kafka.sh status       --dir DIR
#   kafka.sh resolve                             only fill the jar cache (for CI images)
#
# start prints KAFKA_DIR=..., KAFKA_VERSION=... and KAFKA_BROKERS=127.0.0.1:PORT[,...] on stdout; everything else goes to stderr.
#   --dir    data, settings, logs and pid files. Default: a new temporary folder. A folder used before is
#            started again on the data it holds, with the nodes and ports it was made with.
#   --port   broker ports are BASE, BASE+10, BASE+20; controllers listen one above. 0 picks a free BASE.
#            Default 19092.
#   --set    one more line for server.properties, for example --set log.cleaner.backoff.ms=200. Only when DIR is new.
#
# Environment (all optional)
#   KAFKA_JARS           jar cache, or a folder that holds Kafka's jars already (the libs/ of a tarball).
#                        Default: ${XDG_CACHE_HOME:-~/.cache}/newswire/kafka-<version>
#   KAFKA_HEAP           heap of one broker, default 512m (256m is enough for small tests)
#   KAFKA_JVM_OPTS       more JVM options, appended last
#   KAFKA_START_TIMEOUT  seconds to wait for the brokers, default 60
#   KAFKA_STOP_TIMEOUT   seconds a broker gets to stop by itself, default 10
#   KAFKA_FETCH_TIMEOUT  seconds Maven gets to fill the cache, default 600
#
# Exit status: 0 done; 1 failed; 2 wrong arguments; 3 Kafka is not available here (no Java 17, no Maven, or
# the registry cannot be reached). A test runner turns 3 into a visible skip, and in CI into a failure.

set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly HERE
readonly POM="$HERE/pom.xml"
readonly HOST=127.0.0.1
readonly HEAP="${KAFKA_HEAP:-512m}"

log()         { printf '%s\n' "$*" >&2; }
fail()        { log "kafka.sh: $*"; exit 1; }
usage()       { log "kafka.sh: $*"; sed -n '6,12s/^# \{0,3\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
unavailable() { log "kafka.sh: Kafka not available here: $*"; exit 3; }

# --- Java and jars ---------------------------------------------------------------------------------------

kafka_version() { sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$POM"; }

find_java() {
  JAVA="${JAVA_HOME:+$JAVA_HOME/bin/}java"
  command -v "$JAVA" >/dev/null 2>&1 || unavailable "no java; install a Java 17 (or newer) runtime or set JAVA_HOME"
  local major
  major="$("$JAVA" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)"
  [ "${major:-0}" -ge 17 ] || unavailable "java is version ${major:-unknown}; Kafka brokers need 17 or newer"
}

holds_kafka() { ls "$1"/kafka_2.13-*.jar >/dev/null 2>&1; }

# Sets JARS to a folder that holds the broker's class path, filling the cache when it is empty. The folder
# appears under its final name only when complete, so an interrupted or parallel run never leaves half a cache.
find_jars() {
  JARS="${KAFKA_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/newswire/kafka-$(kafka_version)}"
  if holds_kafka "$JARS"; then
    # Filled by this script from another pom.xml: stale. Without a pom.xml the folder is somebody's choice.
    if [ ! -e "$JARS/pom.xml" ] || cmp -s "$JARS/pom.xml" "$POM"; then return 0; fi
  fi
  command -v mvn >/dev/null 2>&1 || unavailable "no jars in $JARS and no mvn to get them; install Maven or set KAFKA_JARS"

  local part="$JARS.part.$$" out
  mkdir -p "$(dirname "$JARS")" && rm -rf "$part" && mkdir "$part"
  trap 'rm -rf "$JARS.part.$$"' EXIT
  trap 'exit 130' INT TERM
  log "Getting Kafka $(kafka_version) from the Maven registry (about 45 jars, 43 MB, once) ..."
  # The time-outs are Maven 3.8's (wagon) and Maven 3.9's (aether) names for the same thing.
  if ! out="$(limited "${KAFKA_FETCH_TIMEOUT:-600}" mvn -B -q -Dstyle.color=never -f "$POM" \
      -Dmaven.wagon.http.connectionTimeout=15000 -Dmaven.wagon.rto=60000 -Dmaven.wagon.http.retryHandler.count=2 \
      -Daether.connector.connectTimeout=15000 -Daether.connector.requestTimeout=60000 \
      dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$part" </dev/null 2>&1)"; then
    log "$(printf '%s\n' "$out" | grep -E 'ERROR|WARN' | head -n 3 | cut -c 1-400)"
    unavailable "Maven could not get the jars; is the registry reachable?"
  fi
  holds_kafka "$part" || unavailable "Maven ended well but brought no Kafka jar"
  cp "$POM" "$part/pom.xml"
  rm -rf "$JARS"
  # When a parallel run won, mv puts the folder inside the other one: drop it, the two are alike.
  mv "$part" "$JARS" 2>/dev/null || true
  rm -rf "$part" "${JARS:?}/$(basename "$part")"
  trap - EXIT INT TERM
}

# limited SECONDS COMMAND...: timeout(1) where there is one (macOS has none).
limited() { if command -v timeout >/dev/null 2>&1; then timeout "$@"; else shift; "$@"; fi; }

class_path() { local jar cp=''; for jar in "$JARS"/*.jar; do cp="$cp:$jar"; done; printf '%s' "${cp#:}"; }

# --- processes -------------------------------------------------------------------------------------------

node_dir() { printf '%s/node-%s' "$DIR" "$1"; }

# The pid of node N when it is alive and still ours (pids are reused: the command line must carry our mark).
node_pid() {
  local file pid args
  file="$(node_dir "$1")/pid"
  [ -s "$file" ] || return 1
  pid="$(cat "$file")"
  if [ -r "/proc/$pid/cmdline" ]; then args="$(tr '\0' ' ' <"/proc/$pid/cmdline")"
  else args="$(ps -ww -o args= -p "$pid" 2>/dev/null || true)"; fi
  case "$args" in *"-Dnewswire.kafka.node=$(node_dir "$1") "*) printf '%s' "$pid" ;; *) return 1 ;; esac
}

listening() { (exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null; }

free_base_port() {
  local base n tries=0
  while [ "$tries" -lt 50 ]; do
    tries=$((tries + 1)); base=$((20000 + RANDOM % 9000))     # below the kernel's range for outgoing ports
    for n in $(seq 0 $((NODES - 1))); do
      if listening $((base + 10 * n)) || listening $((base + 10 * n + 1)); then continue 2; fi
    done
    printf '%s' "$base"; return 0
  done
  return 1
}

broker_port() { printf '%s' $((PORT + 10 * ($1 - 1))); }

brokers() { local n list=''; for n in $(seq 1 "$NODES"); do list="$list,$HOST:$(broker_port "$n")"; done; printf '%s' "${list#,}"; }

ports_free() {
  local port
  for port in "$(broker_port "$1")" $(($(broker_port "$1") + 1)); do
    if listening "$port"; then log "kafka.sh: port $port is taken; choose another --port, or 0"; return 1; fi
  done
}

# Serial GC and the first compiler tier: the broker is up in half the time and stays small.
jvm() {
  local xmx="$1"; shift
  "$JAVA" -Xmx"$xmx" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Djava.net.preferIPv4Stack=true \
    -Dlog4j2.configurationFile="$DIR/log4j2.properties" "$@"
}

# Starts node N detached (a Ctrl-C in the terminal must not reach it) and with none of our streams (a caller
# that reads our output until its end must not wait for the broker).
launch() {
  local dir cmd
  dir="$(node_dir "$1")"
  ports_free "$1" || return 1
  touch "$dir/server.log"
  wc -c <"$dir/server.log" >"$dir/log-offset"                 # ready means: announced after this point
  (
    cd "$dir"
    cmd="$(command -v setsid || command -v nohup)"
    # shellcheck disable=SC2086 # KAFKA_JVM_OPTS is a list of words
    exec "$cmd" "$JAVA" -Dnewswire.kafka.node="$dir" -Xms128m -Xmx"$HEAP" -XX:MaxDirectMemorySize=128m \
      -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:+ExitOnOutOfMemoryError -Djava.net.preferIPv4Stack=true \
      -Dlog4j2.configurationFile="$DIR/log4j2.properties" -Dkafka.logs.dir="$dir" ${KAFKA_JVM_OPTS:-} \
      -cp "$(class_path)" kafka.Kafka "$dir/server.properties"
  ) </dev/null >>"$dir/server.log" 2>&1 &
  printf '%s\n' "$!" >"$dir/pid"
  disown "$!"                                                 # or bash reports a kill -9 as if it were its own trouble
}

log_since_launch() { tail -c +$(($(cat "$(node_dir "$1")/log-offset") + 1)) "$(node_dir "$1")/server.log"; }

# A port that answers is not enough: the listener opens long before the broker may serve. "Kafka Server started"
# is logged when the controller has unfenced the broker, which is when metadata and produce requests succeed.
wait_ready() {
  local dir deadline=$((SECONDS + ${KAFKA_START_TIMEOUT:-60}))
  dir="$(node_dir "$1")"
  until log_since_launch "$1" | grep 'Kafka Server started' >/dev/null \
      && listening "$(broker_port "$1")"; do
    # The command line of a child that has not reached exec yet lacks our mark, so ask the kernel, not node_pid.
    if ! kill -0 "$(cat "$dir/pid")" 2>/dev/null; then log "kafka.sh: node $1 ended while starting:"; log_since_launch "$1" | head -n 8 >&2; return 1; fi
    if [ "$SECONDS" -ge "$deadline" ]; then log "kafka.sh: node $1 is not ready in time:"; log_since_launch "$1" | tail -n 8 >&2; return 1; fi
    sleep 0.1
  done
}

# Ends the given nodes: all are asked at once, whoever is left at the deadline is killed. Combined nodes lose
# their quorum while stopping, so with three of them the last one or two usually need the kill. That is safe:
# the data is in the page cache, only a power cut could lose it.
stop_nodes() {
  local n pid left deadline=$((SECONDS + ${KAFKA_STOP_TIMEOUT:-10}))
  for n in "$@"; do if pid="$(node_pid "$n")"; then kill -TERM "$pid" 2>/dev/null || true; fi; done
  while :; do
    left=''
    for n in "$@"; do if node_pid "$n" >/dev/null; then left="$left $n"; fi; done
    [ -n "$left" ] || break
    if [ "$SECONDS" -ge "$deadline" ]; then
      for n in $left; do kill_node "$n"; done
      break
    fi
    sleep 0.1
  done
  for n in "$@"; do rm -f "$(node_dir "$n")/pid"; done
}

kill_node() {
  local pid
  pid="$(node_pid "$1")" || return 1
  kill -KILL "$pid"
  while node_pid "$1" >/dev/null; do sleep 0.05; done
  rm -f "$(node_dir "$1")/pid"
}

# --- settings --------------------------------------------------------------------------------------------

# 16 random bytes in URL-safe base64, the form Kafka gives its ids. One that starts with '-' looks like an option.
random_id() {
  local id='-'
  while case "$id" in -*) true ;; *) false ;; esac; do
    id="$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')"
  done
  printf '%s' "$id"
}

write_log_settings() {
  cat >"$DIR/log4j2.properties" <<'L'
status = WARN
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
logger.ready.name = kafka.server.KafkaRaftServer
logger.ready.level = INFO
logger.state.name = org.apache.kafka.server.BrokerLifecycleManager
logger.state.level = INFO
L
}

write_node_settings() {
  local n="$1" port copies min voters='' i
  port="$(broker_port "$n")"
  copies="$NODES"; min=$((NODES == 3 ? 2 : 1))
  for i in $(seq 1 "$NODES"); do voters="$voters,$i@$HOST:$(($(broker_port "$i") + 1))"; done
  mkdir -p "$(node_dir "$n")"
  cat >"$(node_dir "$n")/server.properties" <<P
process.roles=broker,controller
node.id=$n
controller.quorum.voters=${voters#,}
listeners=PLAINTEXT://$HOST:$port,CONTROLLER://$HOST:$((port + 1))
advertised.listeners=PLAINTEXT://$HOST:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$(node_dir "$n")/data
# Topics are created on purpose, with the copies production has.
auto.create.topics.enable=false
default.replication.factor=$copies
min.insync.replicas=$min
offsets.topic.replication.factor=$copies
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$min
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$min
# Small: few threads, few internal partitions, and a cleaner that does not eat the heap (its default is 128 MB).
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
background.threads=2
offsets.topic.num.partitions=3
transaction.state.log.num.partitions=3
share.coordinator.state.topic.num.partitions=3
log.cleaner.dedupe.buffer.size=16777216
# A first group member waits for others for 3 s by default; tests have no time for that.
group.initial.rebalance.delay.ms=0
P
  # Last line wins, so --set can change anything above.
  if [ -n "$EXTRA" ]; then printf '%s' "$EXTRA" >>"$(node_dir "$n")/server.properties"; fi
}

format_node() {
  local dir; dir="$(node_dir "$1")"
  rm -rf "$dir/data"                     # left by a start that was cut short, formatted for another cluster id
  # The voters are static, so no --standalone.
  jvm 128m -cp "$(class_path)" kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" \
    --config "$dir/server.properties" >"$dir/format.log" 2>&1
}

# --- commands --------------------------------------------------------------------------------------------

# cluster.env is written when every node is formatted: its presence says the folder can be started.
read_cluster() {
  [ -n "$DIR" ] || usage "$1 needs --dir"
  [ -d "$DIR" ] || fail "no folder $DIR"
  DIR="$(cd "$DIR" && pwd -P)"
  [ -f "$DIR/cluster.env" ] || fail "$DIR was not made by start"
  NODES="$(sed -n 's/^NODES=//p' "$DIR/cluster.env")"
  PORT="$(sed -n 's/^PORT=//p' "$DIR/cluster.env")"
}

print_brokers() { printf 'KAFKA_DIR=%s\nKAFKA_VERSION=%s\nKAFKA_BROKERS=%s\n' "$DIR" "$(kafka_version)" "$(brokers)"; }

create_cluster() {
  local n pids=''
  NODES="${NODES:-1}"
  case "$NODES" in 1 | 3) ;; *) usage "--nodes is 1 or 3" ;; esac
  PORT="${PORT:-19092}"
  if [ "$PORT" = 0 ]; then PORT="$(free_base_port)" || fail "no free ports found"; fi
  for n in $(seq 1 "$NODES"); do ports_free "$n" || exit 1; done
  CLUSTER_ID="$(random_id)"
  write_log_settings
  for n in $(seq 1 "$NODES"); do
    write_node_settings "$n"
    format_node "$n" & pids="$pids $!"
  done
  for n in $pids; do
    if ! wait "$n"; then grep -h -E 'Exception|Error' "$DIR"/node-*/format.log | head -n 3 >&2 || true; fail "could not format the storage"; fi
  done
  printf 'NODES=%s\nPORT=%s\nCLUSTER_ID=%s\n' "$NODES" "$PORT" "$CLUSTER_ID" >"$DIR/cluster.env"
}

STARTED=''
undo_start() {
  local status=$?
  if [ "$status" -ne 0 ]; then
    # shellcheck disable=SC2086 # a list of numbers. The pause lets a child reach exec, where its mark can be seen.
    if [ -n "$STARTED" ]; then sleep 0.2; KAFKA_STOP_TIMEOUT=2 stop_nodes $STARTED; fi
    if [ -n "$OWN_DIR" ]; then rm -rf "$OWN_DIR"; fi
  fi
  exit "$status"
}

start() {
  local n alive=0
  find_java
  find_jars
  OWN_DIR=''
  if [ -z "$DIR" ]; then DIR="$(mktemp -d "${TMPDIR:-/tmp}/newswire-kafka.XXXXXX")"; OWN_DIR="$DIR"; fi
  trap undo_start EXIT
  trap 'exit 130' INT TERM
  mkdir -p "$DIR"; DIR="$(cd "$DIR" && pwd -P)"
  case "$DIR" in *[[:space:],]*) fail "the folder's name must not hold blanks or commas: $DIR" ;; esac

  if [ -f "$DIR/cluster.env" ]; then
    [ -z "$EXTRA" ] || fail "--set has no effect on a folder used before; edit its server.properties"
    local nodes="$NODES" port="$PORT"
    read_cluster start
    [ -z "$nodes" ] || [ "$nodes" = "$NODES" ] || fail "$DIR holds $NODES node(s), not $nodes"
    [ -z "$port" ] || [ "$port" = 0 ] || [ "$port" = "$PORT" ] || fail "$DIR uses port $PORT, not $port"
  else
    create_cluster
  fi

  for n in $(seq 1 "$NODES"); do
    if node_pid "$n" >/dev/null; then alive=$((alive + 1)); continue; fi
    STARTED="$STARTED $n"
    launch "$n" || exit 1
  done
  for n in $STARTED; do wait_ready "$n" || exit 1; done
  if [ "$alive" -gt 0 ]; then log "$alive node(s) were running already"; fi
  print_brokers
}

restart_node() {
  read_cluster restart-node; check_node
  find_java; find_jars
  stop_nodes "$NODE"
  launch "$NODE" || exit 1
  if ! wait_ready "$NODE"; then KAFKA_STOP_TIMEOUT=2 stop_nodes "$NODE"; exit 1; fi
  print_brokers
}

stop() {
  read_cluster stop
  # shellcheck disable=SC2046 # a list of numbers
  stop_nodes $(seq 1 "$NODES")
  if [ -n "$WIPE" ]; then                                     # only what start wrote, in case DIR was somebody's folder
    rm -rf "$DIR"/node-[123] "$DIR/cluster.env" "$DIR/log4j2.properties"
    rmdir "$DIR" 2>/dev/null || true
  fi
}

status() {
  local n pid
  read_cluster status
  for n in $(seq 1 "$NODES"); do
    if pid="$(node_pid "$n")"; then printf 'node %s  up    pid %s  %s:%s\n' "$n" "$pid" "$HOST" "$(broker_port "$n")"
    else printf 'node %s  down\n' "$n"; fi
  done
}

check_node() {
  [ -n "$NODE" ] || usage "--node is missing"
  case "$NODE" in *[!0-9]*) usage "--node is a number" ;; esac
  [ "$NODE" -ge 1 ] && [ "$NODE" -le "$NODES" ] || fail "no node $NODE; this cluster has $NODES"
}

COMMAND="${1:-}"; [ $# -eq 0 ] || shift
DIR='' NODES='' PORT='' NODE='' EXTRA='' WIPE='' OWN_DIR=''
while [ $# -gt 0 ]; do
  case "$1" in --wipe) WIPE=yes; shift; continue ;; esac
  [ $# -ge 2 ] || usage "$1 needs a value"
  case "$1" in
    --dir) DIR="$2" ;;
    --nodes) NODES="$2" ;;
    --port) PORT="$2"; case "$PORT" in '' | *[!0-9]*) usage "--port is a number" ;; esac ;;
    --node) NODE="$2" ;;
    --set) EXTRA="$EXTRA$2"$'\n' ;;
    *) usage "unknown option $1" ;;
  esac
  shift 2
done

case "$COMMAND" in
  start) start ;;
  stop) stop ;;
  kill) read_cluster kill; check_node; kill_node "$NODE" || fail "node $NODE is not running" ;;
  restart-node) restart_node ;;
  status) status ;;
  resolve) find_java; find_jars; log "$JARS" ;;
  *) usage "say start, stop, kill, restart-node, status or resolve" ;;
esac
