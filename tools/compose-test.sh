#!/usr/bin/env bash
# Brings docker-compose.yml up on a real engine and sees telemetry come out of it. Starts an engine if none runs, and stops
# it afterwards; what the engine changed in the firewall is put back.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/sbin:/sbin

[ "$(id -u)" = 0 ] || { echo "root is needed, for the engine" >&2; exit 1; }
work=$(mktemp -d)
engine=

compose() { docker-compose --project-name telepath-test --file docker-compose.yml --file e2e/compose/prebuilt.yml "$@"; }

# The engine sets the policy of FORWARD to DROP and leaves its chains behind.
save_firewall() {
  iptables-save >"$work/firewall"
  forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
}
restore_firewall() {
  if grep -q '^\*' "$work/firewall"; then
    iptables-restore <"$work/firewall"
  else # there was none
    iptables -P FORWARD ACCEPT
    for table in filter nat; do iptables -t $table -F && iptables -t $table -X; done
  fi
  echo "$forwarding" >/proc/sys/net/ipv4/ip_forward
}

finish() {
  code=$?
  trap - EXIT INT TERM
  if docker info >/dev/null 2>&1; then
    [ "$code" = 0 ] || compose logs --tail=20 || true
    compose down --volumes --rmi local >/dev/null 2>&1 || true
  fi
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null || true
    ip link del docker0 2>/dev/null || true
    restore_firewall
  fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

echo "[1/5] engine"
if ! command -v dockerd >/dev/null || ! command -v docker-compose >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io docker-compose iptables >/dev/null
fi
if ! docker info >/dev/null 2>&1; then
  save_firewall
  # `vfs` copies whole layers, but works on every file system; these images have three small ones.
  dockerd --data-root "$work/engine" --storage-driver vfs --exec-root "$work/run" --pidfile "$work/engine.pid" >"$work/engine.log" 2>&1 &
  engine=$!
  for _ in {1..100}; do
    docker info >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || { echo "the engine ended:" >&2; tail -n 20 "$work/engine.log" >&2; exit 1; }
    sleep 0.2
  done
fi

echo "[2/5] images"
export DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
compose build --quiet

echo "[3/5] up"
port=18080
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
export PORT=$port
compose up --detach >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; exit 1; }

echo "[4/5] telemetry"
docker cp "$(compose ps -q server):/data/tokens/viewer" "$work/token" >/dev/null
see() { # DEVICE: one live sample must come within the time
  for _ in {1..15}; do
    if bin/telepath view "$1" --json --for 3s --server "http://127.0.0.1:$port" --token-file "$work/token" 2>"$work/view.log" |
      grep -m 1 '"type":"sample".*"retained":false' >"$work/sample"; then
      echo "      $1: $(cut -c -160 "$work/sample")"
      return
    fi
    sleep 1
  done
  echo "no live sample of $1:" >&2
  cat "$work/view.log" >&2
  return 1
}
see demo
see simulated
see machine

echo "[5/5] health and rights"
for service in server device simulated machine; do
  id=$(compose ps -q "$service")
  for _ in {1..30}; do
    health=$(docker inspect --format '{{.State.Health.Status}}' "$id")
    [ "$health" = healthy ] && break
    sleep 1
  done
  facts=$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$id")
  echo "      $service: $health; user, read-only, dropped: $facts"
  [ "$health" = healthy ] && [ "$facts" = "65532:65532 true [ALL]" ]
done
echo "compose-test: 4 passed, 0 failed"
