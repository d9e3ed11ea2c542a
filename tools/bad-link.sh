# Part of tools/run.sh: puts the simulated machine into a network namespace of its own, behind an emulated link (e2e/linkem) that
# is perfect until somebody makes it bad, by a method that the machine offers. Kernel TCP and UDP suffer it alike. Everything is gone
# again with the link's program; this machine's own traffic and routes stay as they are.
[ "$(uname)" = Linux ] && [ "$(id -u)" = 0 ] || { echo "BAD_LINK needs root on Linux" >&2; exit 1; }

# 198.18.0.0/15 is set aside for measuring networks (RFC 2544): it is nobody's.
namespace=telepath-$port net=198.18.$((port % 250))
at=$net.1
.cache/linkem -ns-a "$namespace" -addr-a "$net.2/30" -ns-b "" -addr-b "$at/30" -dev "telepath$port" \
  -control "$data/link.sock" >"$data/link.log" 2>&1 &
link=$!
for _ in {1..50}; do
  ! grep -q ready "$data/link.log" || break
  kill -0 "$link" 2>/dev/null || fail "the emulated link ended:" "$data/link.log"
  sleep 0.1
done
inside=(ip netns exec "$namespace")

cat >"$data/machine.yaml" <<EOF
# written by \`make run\`: what operators may do with the simulated machine, besides what it offers itself
name: cart-pole and rover
simulated: true
exec:
  methods:
    - name: bad-link
      label: Make the link bad
      help: This machine's only link, in both directions, for five minutes. Nothing else on this computer suffers.
      rate: 2
      params:
        type: object
        required: [delay, loss]
        properties:
          delay: {type: integer, title: "Delay each way in ms", minimum: 0, maximum: 500, default: 50}
          loss: {type: number, title: "Loss each way in %", minimum: 0, maximum: 50, default: 5}
      run: ["$PWD/.cache/linkem", ctl, "$data/link.sock", "for 5m delay={delay}ms loss={loss}%"]
EOF
offers=(--control "$data/machine.yaml")
