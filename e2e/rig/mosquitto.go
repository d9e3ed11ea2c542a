package rig

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// Mosquitto is the broker's program.
const Mosquitto = "/usr/sbin/mosquitto"

// mosquittoConf is of a broker that lets everybody in, keeps nothing, and sends without waiting for more to send. Debian's ends
// at once if it has a listener for WebSockets alone.
const mosquittoConf = `allow_anonymous true
persistence false
set_tcp_nodelay true
log_dest stderr
listener %[2]d %[1]s
listener %[3]d %[1]s
protocol websockets
`

// StartMosquitto starts a real MQTT broker on a host and waits until it takes connections, over TCP at one port and over
// WebSockets at another.
func (r *Rig) StartMosquitto(on *lab.Host, tcp, webSockets uint16) (*program.Program, error) {
	if _, err := os.Stat(Mosquitto); err != nil {
		return nil, errors.New("mosquitto is not installed: apt-get install mosquitto")
	}
	conf := filepath.Join(r.Dir, "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, mosquittoConf, on.Addr, tcp, webSockets), 0o644); err != nil {
		return nil, err
	}
	p, err := r.Start(on, program.Spec{Name: "mosquitto", Args: []string{Mosquitto, "-c", conf}})
	if err != nil {
		return nil, err
	}
	for _, port := range []uint16{tcp, webSockets} {
		if err := AwaitOpen(on, netip.AddrPortFrom(on.Addr, port)); err != nil {
			p.Kill()
			return nil, fmt.Errorf("%w; mosquitto said:\n%s", err, p.Tail(5))
		}
	}
	return p, nil
}
