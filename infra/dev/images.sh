#!/usr/bin/env bash
#
# Makes the images that the tests and compose.yaml name available in the local Docker engine. Each one is taken from
# the engine if it is there, else pulled, and where no registry can be reached a stand-in is built here under the same
# name, from Debian packages, Maven Central, the Go proxy and npm. So tests and compose files name the official images
# and need no switch.
#
#   images.sh [kafka] [s3] [node]      default: kafka s3
#
#   kafka   apache/kafka      Apache Kafka (KRaft) on a Java 17 JRE; KAFKA_* environment as in the official image
#   s3      versity/versitygw versitygw, an S3 server; VGW_* environment as in the official image
#   node    node              Node.js and npm, the base of the project's own Dockerfile
#
# Prints one line per image on stdout: NAME present|pulled|built. A stand-in carries the label newswire.stand-in=true:
#   docker images --filter label=newswire.stand-in=true
#
# Settings (all optional)
#   NEWSWIRE_KAFKA_IMAGE   default apache/kafka:VERSION, the version in pom.xml; its tag chooses the jars
#   NEWSWIRE_S3_IMAGE      default versity/versitygw:v1.8.0; its tag chooses the source
#   NEWSWIRE_NODE_IMAGE    default node:24-bookworm-slim; the number before the dash chooses the version on npm
#   NEWSWIRE_IMAGES        auto (as above), pull (never build), build (build even if present or reachable)
#   NEWSWIRE_IMAGES_CACHE  jars and binaries between runs. Default: ${XDG_CACHE_HOME:-~/.cache}/newswire/images
#
# Needs a Docker engine (dockerd.sh start). Building needs root (debootstrap) and apt-get; for kafka Maven, for s3 Go,
# for node npm. Exit status: 0 done, 1 failed, 2 wrong arguments.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly POM="$HERE/pom.xml"
readonly CACHE="${NEWSWIRE_IMAGES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/newswire/images}"
readonly MODE="${NEWSWIRE_IMAGES:-auto}"
readonly BASE=newswire/base:bookworm
readonly JRE=newswire/jre:17-bookworm
readonly STANDIN=newswire.stand-in=true
KAFKA_VERSION=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$POM" 2>/dev/null || true)
readonly KAFKA_IMAGE="${NEWSWIRE_KAFKA_IMAGE:-apache/kafka:${KAFKA_VERSION:-4.4.0}}"
readonly S3_IMAGE="${NEWSWIRE_S3_IMAGE:-versity/versitygw:v1.8.0}"
readonly NODE_IMAGE="${NEWSWIRE_NODE_IMAGE:-node:24-bookworm-slim}"

SCRATCH=$(mktemp -d)
trap 'rm -rf --one-file-system -- "$SCRATCH"' EXIT

log()  { printf '%s\n' "$*" >&2; }
fail() { log "images.sh: $*"; exit 1; }
need() { command -v "$1" >/dev/null 2>&1 || fail "needs $1 to build $2"; }
here() { docker image inspect "$1" >/dev/null 2>&1; }

# The build uses the machine's own network, so whatever lets the machine reach its package registries serves the build too.
build() {                                                   # IMAGE FOLDER
  docker build --network host --label "$STANDIN" -t "$1" "$2" >"$SCRATCH/build.log" 2>&1 ||
    { tail -n 40 "$SCRATCH/build.log" >&2; fail "$1 could not be built"; }
}

# --- base images ----------------------------------------------------------------------------------------------------

base() {
  here "$BASE" && return 0
  [[ $(id -u) == 0 ]] || fail "building the base image needs root"
  if ! command -v debootstrap >/dev/null 2>&1; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap; } \
      >&2 </dev/null || fail "debootstrap could not be installed"
  fi
  log "building $BASE"
  local mirror
  mirror=$(sed -n 's|^URIs: *\(http[^ ]*/debian\)/*$|\1|p; s|^deb \(\[[^]]*\] \)\{0,1\}\(http[^ ]*/debian\)/* .*|\2|p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1 || true)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$SCRATCH/system" ${mirror:+"$mirror"} >"$SCRATCH/debootstrap.log" 2>&1 ||
    { tail -n 5 "$SCRATCH/debootstrap.log" >&2; fail "debootstrap failed"; }
  # Where the network's own certificates are trusted by this machine, builds inside these images must trust them too.
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    cp /usr/local/share/ca-certificates/*.crt "$SCRATCH/system/usr/local/share/ca-certificates/"
    chroot "$SCRATCH/system" update-ca-certificates >/dev/null 2>&1 || fail "the machine's certificates could not be taken over"
  fi
  tar -C "$SCRATCH/system" -c --exclude='./dev/*' --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*/*' --exclude='./usr/share/locale/*' . |
    docker import -c "LABEL $STANDIN" -c 'CMD ["bash"]' - "$BASE" >/dev/null
  rm -rf --one-file-system -- "$SCRATCH/system"
}

jre() {
  here "$JRE" && return 0
  base
  log "building $JRE"
  mkdir -p "$SCRATCH/jre"
  cat >"$SCRATCH/jre/Dockerfile" <<DOCKERFILE
FROM $BASE
RUN mkdir -p /usr/share/man/man1 && apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
DOCKERFILE
  build "$JRE" "$SCRATCH/jre"
}

# --- kafka ----------------------------------------------------------------------------------------------------------

kafka() {
  local version="${KAFKA_IMAGE##*:}" dir="$SCRATCH/kafka"
  need mvn "$KAFKA_IMAGE"
  [[ -r $POM ]] || fail "needs $POM to build $KAFKA_IMAGE"
  jre
  log "building $KAFKA_IMAGE"
  mkdir -p "$dir"
  if [[ ! -e $CACHE/kafka-$version/.complete ]]; then
    rm -rf -- "$CACHE/kafka-$version"
    mvn -q -B -Dstyle.color=never -f "$POM" dependency:copy-dependencies -Dkafka.version="$version" -DincludeScope=runtime \
      -DoutputDirectory="$CACHE/kafka-$version" >&2 || fail "Maven could not fetch Kafka $version"
    touch "$CACHE/kafka-$version/.complete"
  fi
  mkdir "$dir/libs"
  cp -p "$CACHE/kafka-$version"/*.jar "$dir/libs/"

  cat >"$dir/log4j2.xml" <<'XML'
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>
  <Loggers><Root level="${env:KAFKA_LOG4J_ROOT_LOGLEVEL:-INFO}"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
XML
  cat >"$dir/server.properties" <<'PROPERTIES'
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
advertised.listeners=PLAINTEXT://localhost:9092
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=/var/lib/kafka/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
PROPERTIES

  # The contract of the official image: KAFKA_A_B=x is a.b=x in server.properties (__ is _, ___ is -); with no such
  # variable and no mounted file the defaults above apply; storage is formatted on the first start with CLUSTER_ID.
  cat >"$dir/run" <<'RUN'
#!/bin/bash
set -euo pipefail
cd /opt/kafka
conf=config/server.properties
if [[ -n ${KAFKA_ADVERTISED_LISTENERS:-} && -z ${KAFKA_LISTENERS:-} ]]; then
  KAFKA_LISTENERS=$(sed 's|://[^:]*:|://0.0.0.0:|g' <<<"$KAFKA_ADVERTISED_LISTENERS"); export KAFKA_LISTENERS
fi
: >"$conf"
[[ ! -f /mnt/shared/config/server.properties ]] || cat /mnt/shared/config/server.properties >>"$conf"
while IFS='=' read -r -d '' name value; do
  case "$name" in
    KAFKA_HEAP_OPTS|KAFKA_OPTS|KAFKA_JMX_OPTS|KAFKA_JVM_PERFORMANCE_OPTS|KAFKA_GC_LOG_OPTS|KAFKA_LOG4J*|KAFKA_TOOLS_*|KAFKA_JMX_*|KAFKA_VERSION) ;;
    KAFKA_*) name=$(sed 's/^KAFKA_//; s/_/./g; s/\.\.\./-/g; s/\.\./_/g' <<<"$name"); printf '\n%s=%s\n' "${name,,}" "$value" >>"$conf" ;;
  esac
done </proc/self/environ
[[ -s $conf ]] || cp /etc/kafka/docker/server.properties "$conf"
cp=$(printf '%s:' libs/*.jar)                               # a fixed order, or the class archives do not fit
jvm=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xlog:cds=off -Dlog4j2.configurationFile=/etc/kafka/docker/log4j2.xml -Dkafka.logs.dir=/opt/kafka/logs)
read -ra heap <<<"${KAFKA_HEAP_OPTS:--Xms256m -Xmx1g}"
read -ra more <<<"${KAFKA_JVM_PERFORMANCE_OPTS:-} ${KAFKA_OPTS:-}"
format=(format --ignore-formatted -t "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" -c "$conf")
if ! grep -q '^controller.quorum.voters=' "$conf" && grep -q '^process.roles=.*controller' "$conf"; then format+=(--standalone); fi
archive=${NEWSWIRE_RECORD:+ArchiveClassesAtExit}; archive=${archive:-SharedArchiveFile}
KAFKA_LOG4J_ROOT_LOGLEVEL=WARN java -Xmx128m "${jvm[@]}" "-XX:$archive=/opt/kafka/storage.jsa" -cp "$cp" kafka.tools.StorageTool "${format[@]}"
exec java "${heap[@]}" "${jvm[@]}" "-XX:$archive=/opt/kafka/kafka.jsa" "${more[@]}" -cp "$cp" kafka.Kafka "$conf"
RUN
  # One start and stop while building, with the defaults, to record the classes it loads; later starts map them from a file.
  cat >"$dir/record" <<'RECORD'
#!/bin/bash
set -euo pipefail
cd /opt/kafka
NEWSWIRE_RECORD=1 /etc/kafka/docker/run >record.log 2>&1 & pid=$!
for _ in $(seq 600); do
  if grep -q 'Kafka Server started' record.log; then break; fi
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
kill -TERM "$pid" || true
wait "$pid" || true
test -s /opt/kafka/kafka.jsa || { cat record.log; exit 1; }
rm -f record.log config/server.properties; find /var/lib/kafka/data -mindepth 1 -delete
RECORD
  chmod 755 "$dir/run" "$dir/record"

  cat >"$dir/Dockerfile" <<DOCKERFILE
FROM $JRE
RUN useradd -m appuser && mkdir -p /opt/kafka/config /opt/kafka/logs /etc/kafka/docker /etc/kafka/secrets /var/lib/kafka/data /mnt/shared/config \\
 && chown -R appuser /opt/kafka /var/lib/kafka /etc/kafka /mnt/shared/config
COPY --chown=appuser libs /opt/kafka/libs
COPY --chown=appuser run record log4j2.xml server.properties /etc/kafka/docker/
USER appuser
RUN /etc/kafka/docker/record
EXPOSE 9092
CMD ["/etc/kafka/docker/run"]
DOCKERFILE
  build "$KAFKA_IMAGE" "$dir"
}

# --- s3 -------------------------------------------------------------------------------------------------------------

s3() {
  local version="${S3_IMAGE##*:}" dir="$SCRATCH/s3" source
  need go "$S3_IMAGE"
  base
  log "building $S3_IMAGE"
  mkdir -p "$dir" "$CACHE/versitygw-$version"
  if [[ ! -x $CACHE/versitygw-$version/versitygw ]]; then
    GOBIN="$CACHE/versitygw-$version" CGO_ENABLED=0 go install \
      -ldflags "-s -w -X main.Version=$version" "github.com/versity/versitygw/cmd/versitygw@$version" >&2 ||
      fail "versitygw $version could not be built"
  fi
  source=$(cd "$SCRATCH" && go mod download -json "github.com/versity/versitygw@$version" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
  cp "$CACHE/versitygw-$version/versitygw" "$source/docker-entrypoint.sh" "$dir/"
  chmod 755 "$dir/versitygw" "$dir/docker-entrypoint.sh"
  cat >"$dir/Dockerfile" <<DOCKERFILE
FROM $BASE
COPY versitygw docker-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]
DOCKERFILE
  build "$S3_IMAGE" "$dir"
}

# --- node -----------------------------------------------------------------------------------------------------------

node_() {
  local major="${NODE_IMAGE##*:}" dir="$SCRATCH/node" arch=x64
  major="${major%%-*}"
  if [[ $(uname -m) == aarch64 ]]; then arch=arm64; fi
  need npm "$NODE_IMAGE"
  base
  log "building $NODE_IMAGE"
  mkdir -p "$dir" "$CACHE/node-$major"
  local modules="$CACHE/node-$major/node_modules"
  if [[ ! -x $modules/node-linux-$arch/bin/node || ! -d $modules/npm ]]; then
    npm install --silent --ignore-scripts --no-save --prefix "$CACHE/node-$major" "node-linux-$arch@$major" npm@11 >&2 ||
      fail "node@$major could not be fetched"
  fi
  cp "$modules/node-linux-$arch/bin/node" "$dir/"
  cp -r "$modules/npm" "$dir/"
  cat >"$dir/Dockerfile" <<DOCKERFILE
FROM $BASE
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
COPY node /usr/local/bin/
COPY npm /usr/local/lib/node_modules/npm
RUN groupadd -g 1000 node && useradd -m -u 1000 -g 1000 node \\
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && node -v && npm -v
CMD ["node"]
DOCKERFILE
  build "$NODE_IMAGE" "$dir"
}

# --------------------------------------------------------------------------------------------------------------------

provide() {                                                 # IMAGE BUILDER
  local began=$SECONDS
  if [[ $MODE != build ]]; then
    if here "$1"; then printf '%s present\n' "$1"; return 0; fi
    if timeout 600 docker pull -q "$1" >/dev/null 2>&1; then printf '%s pulled\n' "$1"; return 0; fi
    [[ $MODE == auto ]] || fail "$1 cannot be pulled"
  fi
  "$2"
  printf '%s built\n' "$1"
  log "$1 took $((SECONDS - began)) s"
}

[[ $MODE =~ ^(auto|pull|build)$ ]] || { log "NEWSWIRE_IMAGES is auto, pull or build"; exit 2; }
[[ $# -gt 0 ]] || set -- kafka s3
for what in "$@"; do
  [[ $what =~ ^(kafka|s3|node)$ ]] || { log "say kafka, s3 or node"; exit 2; }
done
docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || fail "no Docker engine answers; run: dockerd.sh start"
for what in "$@"; do
  case "$what" in
    kafka) provide "$KAFKA_IMAGE" kafka ;;
    s3)    provide "$S3_IMAGE" s3 ;;
    node)  provide "$NODE_IMAGE" node_ ;;
  esac
done
