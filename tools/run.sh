#!/usr/bin/env bash
# The part of `make run` behind the build: a server, an agent for this machine and a simulated machine to drive, a look whether
# telemetry really flows and on which path, and the URL, last. Ctrl-C ends everything. Data (keys, tokens, logs) stay.
#
#   PORT=8080      where to begin looking for a free port
#   DEVICE=name    what the agent is called; default: this machine's name
#   DATA=folder    where data are kept; default: .telepath here
#   BAD_LINK=1     the simulated machine is behind a link of its own that its page can make bad (root, Linux)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

data=${DATA:-$PWD/.telepath}
config=${XDG_CONFIG_HOME:-$HOME/.config}/telepath
name=${DEVICE:-$(hostname)}
port=${PORT:-8080}
step=${FIRST:-1} steps=${STEPS:-4}

step() { echo "[$((step++))/$steps] $*"; }

# Something listens there, on loopback at least.
busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

server= agent= machine= link=
finish() {
  trap - EXIT INT TERM
  [ -z "$agent$server" ] || echo "stopping"
  [ -z "$machine" ] || { kill "$machine" && wait "$machine"; } 2>/dev/null || true
  [ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null || true
  [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  [ -z "$link" ] || { kill "$link" && wait "$link"; } 2>/dev/null || true
  exit "${1:-0}"
}
trap 'finish $?' EXIT
trap 'finish 0' INT TERM

fail() {
  echo "$1" >&2
  tail -n 15 "$2" >&2
  finish 1
}

# ── server
wanted=$port
while busy "$port"; do port=$((port + 1)); done
[ "$port" = "$wanted" ] || echo "port $wanted is taken, so $port it is (PORT=… chooses another)"
mkdir -p "$data"

# Where the machine finds its server, what it runs in, and what it offers besides.
at=127.0.0.1 inside=() offers=()
[ -z "${BAD_LINK:-}" ] || . tools/bad-link.sh

step "server on port $port"
bin/telepath-signaling serve --listen ":$port" --data "$data/server" >"$data/server.log" 2>&1 &
server=$!
url=
for _ in {1..100}; do
  url=$(grep -ao 'https\?://[^" ]*#code=[A-Za-z0-9_-]*' "$data/server.log" | head -n 1 || true)
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || fail "the server ended:" "$data/server.log"
  sleep 0.1
done
[ -n "$url" ] || fail "the server is not ready after 10 s:" "$data/server.log"

# Where `telepath` finds its server. Settings that somebody else wrote stay.
mine="# written by \`make run\`: where \`telepath\` finds its server"
settings=$config/config.yaml telepath=bin/telepath
if [ -e "$settings" ] && [ "$(head -n 1 "$settings")" != "$mine" ]; then
  settings=$data/telepath.yaml telepath="bin/telepath --config $data/telepath.yaml"
fi
mkdir -p "$(dirname "$settings")"
token=$(dirname "$settings")/token
install -m 600 "$data/server/tokens/admin" "$token"
cat >"$settings" <<EOF
$mine
server: http://127.0.0.1:$port
token-file: $token
EOF
chmod 600 "$settings"

# ── agent
step "agent \"$name\" with the real figures of this machine"
bin/telepath-device run --server "http://127.0.0.1:$port" --token-file "$data/server/tokens/device" \
  --data "$data/device" --name "$name" --source host >"$data/device.log" 2>&1 &
agent=$!
online() { bin/telepath --config "$settings" devices --json 2>/dev/null | grep -q '"state":"live"'; }
for _ in {1..50}; do
  online && break
  kill -0 "$agent" 2>/dev/null || fail "the agent ended:" "$data/device.log"
  sleep 0.2
done
online || fail "the agent is not online after 10 s:" "$data/device.log"

# ── simulated machine
step "agent \"machine\": a simulated pole to balance and a rover to drive"
"${inside[@]}" bin/telepath-device run --server "http://$at:$port" --token-file "$data/server/tokens/device" \
  --data "$data/machine" --name machine --source machine "${offers[@]}" >"$data/machine.log" 2>&1 &
machine=$!

# ── does telemetry flow, and how?
step "check: does telemetry flow, and on which path?"
bin/telepath --config "$settings" view "$name" --json --for 6s >"$data/check.jsonl" 2>"$data/check.log" || true
samples=$(grep -c '"type":"sample"' "$data/check.jsonl" || true)
direct=$(grep '"type":"sample"' "$data/check.jsonl" | grep -c '"path":"\(udp\|tcp\)"' || true)
why=$(grep '"type":"path"' "$data/check.jsonl" | tail -n 1 | sed 's/.*"reason":"\([^"]*\)".*/\1/')
if [ "$direct" -gt 0 ]; then
  echo "      yes: $samples samples in 6 s, $direct of them on a direct path between viewer and agent"
elif [ "$samples" -gt 0 ]; then
  echo "      yes: $samples samples in 6 s, but only through the server: ${why:-no reason was given}"
else
  echo "      no: not one sample in 6 s. What the viewer said:"
  sed 's/^/      /' "$data/check.log"
fi

cat <<EOF

      in a terminal:  $telepath view $name
      on a phone:     the same URL with this machine's address
      Ctrl-C ends it; the code in the URL is for one use within 10 minutes ($telepath login-url prints another)

$url
EOF
wait -n "$server" "$agent" "$machine" || true
for part in server:$server device:$agent machine:$machine; do
  kill -0 "${part#*:}" 2>/dev/null || fail "${part%:*} ended by itself:" "$data/${part%:*}.log"
done
