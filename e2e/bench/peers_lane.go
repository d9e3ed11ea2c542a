package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// lane is a link that one peer has for itself: its device at the near end, relay and viewer at the far end. All lanes of a
// measurement have the same conditions and the same seed.
type lane struct {
	*rig.Rig
	far  *rig.FarLink
	home *lab.Home // between device and link: a router of its own; nil: none
	self string    // the benchmark's own program, which holds the bare ends

	started []*program.Program
}

// newLane builds it in dir, where the link's program is shared.
func newLane(dir, name string, c crossing, seed int) (*lane, error) {
	l := &lane{}
	var err error
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	own := filepath.Join(dir, name)
	if err := os.MkdirAll(own, 0o755); err != nil {
		return nil, err
	}
	if l.Rig, err = rig.New(own); err != nil {
		return nil, err
	}
	if l.far, err = rig.NewFarLink(dir, c.link, "-rt", "-seed", fmt.Sprint(seed)); err != nil {
		return nil, err
	}
	if c.home {
		l.home, err = lab.NewHome(l.far.Here, l.far.Here.NS+"-home", lab.PortRestricted)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lane) device() *lab.Host {
	if l.home != nil {
		return l.home.Host
	}
	return l.far.Here
}

func (l *lane) viewer() *lab.Host { return l.far.There }

// Where relays and receivers listen; a broker has two ports.
const (
	relayPort     = 9000
	webSocketPort = 9001
)

func (l *lane) relay() netip.AddrPort { return netip.AddrPortFrom(l.far.There.Addr, relayPort) }

// end starts a bare end.
func (l *lane) end(on *lab.Host, onLine func(program.Line), args ...string) (*program.Program, error) {
	p, err := l.Start(on, program.Spec{Name: args[0], OnLine: onLine, Args: append([]string{l.self, "bare"}, args...)})
	return l.keep(p, err)
}

// listener is end for one that says so when it is ready.
func (l *lane) listener(onLine func(program.Line), args ...string) (*program.Program, error) {
	p, err := l.end(l.viewer(), onLine, args...)
	if err == nil {
		_, err = p.WaitFor(listening, 10*time.Second)
	}
	return p, err
}

// keep remembers what has been started, to end it with the lane.
func (l *lane) keep(p *program.Program, err error) (*program.Program, error) {
	if err == nil {
		l.started = append(l.started, p)
	}
	return p, err
}

func (l *lane) close() {
	for _, p := range l.started {
		p.Kill()
	}
	if l.home != nil {
		_ = l.home.Close() // what is left is seen by whoever lists namespaces
	}
	l.far.Close()
}
