#!/usr/bin/env bash
#
# A real S3 server (versitygw, built once with Go) on loopback, without containers. For tests and laptops, Linux only.
#
#   s3.sh start  [--dir DIR] [--port N] [--keep-alive]   builds once, starts, waits, prints its settings as NAME=value
#   s3.sh stop   [--dir DIR] [--wipe]     stops the server of DIR; --wipe removes its data
#   s3.sh kill   [--dir DIR]              kill -9: the server dies without a goodbye
#   s3.sh status [--dir DIR]              prints the settings again, or exits 1
#   s3.sh install                         only fills the cache (for an image or a CI cache step)
#
# Use:  set -a; eval "$(s3.sh start --dir "$work")"; set +a;  …;  s3.sh stop --dir "$work" --wipe
#
# --dir     data, log and pid file of this server. Default: newswire/s3 in the user's state folder. One server per DIR:
#           `start` on a running one prints its settings again. Data outlives `stop`. The file system needs extended
#           attributes of users (ext4, xfs, btrfs; tmpfs from kernel 6.6).
# --port    default: a free port. Tests that run beside each other should leave it out.
#
# --keep-alive  connections stay open between requests, as with S3 itself: for benchmarks. Not for what streams uploads (see `launch`);
#           the store of this repository sends whole bodies only.
#
# Settings: S3_SERVER_CACHE (default: newswire/s3-server in the user's cache folder), S3_SERVER_WAIT_S (60).
# Exit: 0 done, 1 failed, 2 wrong use, 3 not available here (no Go, or it cannot be downloaded): skip visibly.
#
# Why versitygw: of the servers tried it alone kept every promise of the store under load (one winner in each race of
# conditional writes, one ETag everywhere, whole bodies only), and it is small. See README.md.

set -euo pipefail

readonly VERSION=v1.8.0

# Never taken from the environment: the caller's own AWS keys must not end up in a test server, nor the reverse.
readonly ACCESS_KEY=newswire
readonly SECRET_KEY=newswire-local-only

cache=${S3_SERVER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/newswire/s3-server}
dir=${XDG_STATE_HOME:-$HOME/.local/state}/newswire/s3
readonly home=$cache/versitygw-$VERSION
port='' wipe='' keep_alive=''

say() { printf 's3.sh: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
usage() { say "$*"; sed -n '5,9s/^# \{0,3\}//p' "$0" >&2; exit 2; }
unavailable() { say "S3 not available here: $*"; exit 3; }
have() { command -v "$1" >/dev/null 2>&1; }

# --- install: a folder per version, made beside its place and moved there whole ---------------------------------------

# From the root folder, so that no go.mod or go.work of the caller takes part.
go_install() { (cd / && GOBIN=$1 go install -trimpath -ldflags '-s -w' "github.com/versity/versitygw/cmd/versitygw@$VERSION"); }

install_server() {
  [[ -e $home/.complete ]] && return
  have go || unavailable "no Go 1.25 or newer to build versitygw with; install golang"
  mkdir -p "$cache"
  local fresh log=$cache/install.log began=$SECONDS
  fresh=$(mktemp -d "$cache/.versitygw.XXXXXX")
  say "building versitygw $VERSION once (about a minute)"
  if ! go_install "$fresh" >"$log" 2>&1; then
    rm -rf "$fresh"
    unavailable "versitygw could not be built: $(grep -v '^go: downloading' "$log" | tail -n 3 | tr '\n' ' ')"
  fi
  touch "$fresh/.complete"
  # Two installs at once: the later one finds the place taken, and both are the same build.
  mv -T "$fresh" "$home" 2>/dev/null || rm -rf "$fresh"
  [[ -e $home/.complete ]] || fail "$home is incomplete: remove it and start again"
  say "built in $((SECONDS - began)) s"
}

# --- processes: known by pid file only, and by start time, so that a reused pid is never taken for ours -------------

born() { # when a process started, or nothing once it has ended (a zombie that nobody reaps has ended too)
  # Field 3 is the state and 22 the start; the name before them may hold spaces, so count from its closing bracket.
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" && $1 != "X" { print $20 }' || true
}

running() { # sets pid; true while the server that DIR's pid file names is alive
  local since
  pid=
  [[ -s $dir/server.pid ]] || return 1
  read -r pid since <"$dir/server.pid" || true
  [[ -n $pid && -n $since && $(born "$pid") == "$since" ]]
}

free_port() {
  node -e 'const s=require("node:net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'
}
port_taken() {
  node -e 'const s=require("node:net").createServer();s.once("error",()=>process.exit(0));s.listen(+process.argv[1],"127.0.0.1",()=>s.close(()=>process.exit(1)))' "$1"
}

# Waits until a signed ListBuckets is answered with 200, the process dies, or time is up.
wait_until_ready() {
  node - "$1" "$2" "$3" "$ACCESS_KEY" "$SECRET_KEY" <<'NODE'
const { createHash, createHmac } = require('node:crypto');
const [endpoint, pid, seconds, accessKey, secret] = process.argv.slice(2);
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const ask = () => {
  const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${at.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const signed = 'host;x-amz-content-sha256;x-amz-date';
  const headers = { host: new URL(endpoint).host, 'x-amz-content-sha256': sha256(''), 'x-amz-date': at };
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('');
  const request = ['GET', '/', '', lines, signed, sha256('')].join('\n');
  const key = scope.split('/').reduce(hmac, `AWS4${secret}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(request)].join('\n')).toString('hex');
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  return fetch(endpoint, { headers, signal: AbortSignal.timeout(5000) });
};
(async () => {
  let last = 'no answer';
  for (const until = Date.now() + seconds * 1000; Date.now() < until; ) {
    try { process.kill(Number(pid), 0); } catch { console.error('the server ended'); process.exit(1); }
    try {
      const answer = await ask();
      if (answer.status === 200) process.exit(0);
      last = `HTTP ${answer.status}`;
    } catch (error) { last = error.cause?.code ?? error.name; }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  console.error(`not ready after ${seconds} s, last: ${last}`);
  process.exit(1);
})();
NODE
}

# exec keeps the pid; no descriptor of the caller stays open, or `eval "$(… start)"` would wait for the server to end.
# Its own session, so that a Ctrl-C in the terminal does not reach it. --keep-alive only when asked: with it, up to 1 in 15
# requests after a streamed upload fails with 400 or a reset on 1.8.0.
launch() {
  (cd "$dir" && exec setsid env ROOT_ACCESS_KEY_ID="$ACCESS_KEY" ROOT_SECRET_ACCESS_KEY="$SECRET_KEY" \
    "$home/versitygw" $keep_alive --port "127.0.0.1:$port" --quiet posix "$dir/data") </dev/null >>"$dir/server.log" 2>&1 &
  pid=$!
  disown "$pid"
  printf '%s %s\n' "$pid" "$(born "$pid")" >"$dir/server.pid"
}

print_settings() {
  printf 'S3_VERSION=%s\nS3_ENDPOINT=%s\nAWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\nAWS_REGION=us-east-1\n' \
    "${VERSION#v}" "$(cat "$dir/endpoint")" "$ACCESS_KEY" "$SECRET_KEY"
}

start() {
  have node || unavailable "node is needed"
  mkdir -p "$dir/data"
  dir=$(cd "$dir" && pwd)
  if running; then
    [[ -z $port || $(cat "$dir/endpoint") == *:"$port" ]] || fail "$dir is served on $(cat "$dir/endpoint") now: stop it first"
    print_settings
    return
  fi
  install_server
  if [[ -z $port ]]; then
    port=$(free_port)
  elif port_taken "$port"; then
    fail "port $port is taken"
  fi
  local endpoint=http://127.0.0.1:$port
  echo "$endpoint" >"$dir/endpoint"
  : >"$dir/server.log"
  launch
  if ! wait_until_ready "$endpoint" "$pid" "${S3_SERVER_WAIT_S:-60}"; then
    # Its --sidecar mode is no way out: body and metadata are then two files, and swaps lose updates.
    if grep -q 'xattr.* not supported' "$dir/server.log"; then
      stop
      unavailable "$dir is on a file system without extended attributes: take another --dir"
    fi
    tail -n 15 "$dir/server.log" >&2
    stop
    fail "versitygw did not start (its last words are above)"
  fi
  print_settings
}

stop() {
  if running; then
    kill "$pid" 2>/dev/null || true
    for _ in {1..100}; do
      running || break
      sleep 0.1
    done
    if running; then
      say "still there after 10 s: killing process $pid"
      kill -9 "$pid" 2>/dev/null || true
    fi
  fi
  rm -f "$dir/server.pid"
  if [[ -n $wipe ]]; then # only what start wrote, in case DIR was somebody's folder
    rm -rf "$dir/data" "$dir/server.log" "$dir/endpoint"
    rmdir "$dir" 2>/dev/null || true
  fi
}

kill_server() {
  running || fail "no server for $dir"
  kill -9 "$pid"
  while running; do sleep 0.05; done
  rm -f "$dir/server.pid"
}

verb=${1:-}
[[ $# -gt 0 ]] && shift
while [[ $# -gt 0 ]]; do
  if [[ $1 == --wipe ]]; then wipe=yes; shift; continue; fi
  if [[ $1 == --keep-alive ]]; then keep_alive=--keep-alive; shift; continue; fi
  [[ $# -ge 2 && -n $2 ]] || usage "$1 needs a value"
  case $1 in
    --dir) dir=$2 ;;
    --port) port=$2; [[ $port =~ ^[0-9]+$ ]] || usage "--port takes a number" ;;
    *) usage "unknown option $1" ;;
  esac
  shift 2
done

case $verb in
  start) start ;;
  stop) stop ;;
  kill) kill_server ;;
  status) running || fail "no server for $dir"; print_settings ;;
  install) install_server ;;
  *) usage "say start, stop, kill, status or install" ;;
esac
