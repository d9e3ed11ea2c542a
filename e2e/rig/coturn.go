package rig

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// coturnConf is of a TURN server that takes time-limited credentials (use-auth-secret) and relays to any peer of the laboratory.
const coturnConf = `listening-ip=%[1]s
relay-ip=%[1]s
listening-port=%[2]d
use-auth-secret
static-auth-secret=%[3]s
realm=example
no-cli
no-tls
no-dtls
no-stdout-log
log-file=%[4]s/coturn.log
pidfile=%[4]s/coturn.pid
userdb=%[4]s/coturn.db
`

// StartCoturn starts a real coturn on a host, over UDP and TCP at one port, and waits until it listens.
func (r *Rig) StartCoturn(on *lab.Host, at netip.AddrPort, secret string) (*program.Program, error) {
	conf := filepath.Join(r.Dir, "coturn.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, coturnConf, at.Addr(), at.Port(), secret, r.Dir), 0o600); err != nil {
		return nil, err
	}
	p, err := r.Start(on, program.Spec{Name: "coturn", Args: []string{"turnserver", "-c", conf}})
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if err = on.Enter(func() error { return knock(at) }); err == nil {
			return p, nil
		}
		if time.Now().After(deadline) {
			p.Kill()
			return nil, fmt.Errorf("coturn does not listen: %w; it said:\n%s", err, p.Tail(10))
		}
	}
}
