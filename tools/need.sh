#!/usr/bin/env bash
# Installs what the tests need on a Debian machine, only what is missing. Go itself must be there.
set -euo pipefail

command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl/" >&2; exit 1; }

# program:package
wanted="chromium:chromium nft:nftables ip:iproute2 gcc:gcc node:nodejs npm:npm git:git
squid:squid nginx:nginx turnserver:coturn certutil:libnss3-tools openssl:openssl strace:strace"

missing=()
for pair in $wanted; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { echo "please install: ${missing[*]}" >&2; exit 1; }
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "please install, as root: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

node -e 'const [a, b] = process.versions.node.split("."); process.exit(a >= 23 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)' ||
  { echo "Node 22.12 or newer, or 20.19, is needed to build the dashboard; this is $(node --version)" >&2; exit 1; }
