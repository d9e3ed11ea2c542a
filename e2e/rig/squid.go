package rig

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// squidConf is of a proxy that asks nobody and lets CONNECT through to any port.
const squidConf = `http_port %s
visible_hostname proxy.example
pid_filename none
cache_log %[2]s/cache.log
access_log none
cache deny all
dns_nameservers 127.0.0.1
shutdown_lifetime 0 seconds
pinger_enable off
http_access allow all
`

// StartSquid starts a proxy on a host, with its files in dir, and waits until its port is open.
func (r *Rig) StartSquid(on *lab.Host, addr netip.AddrPort, dir string) (*program.Program, error) {
	if err := os.Chmod(dir, 0o777); err != nil { // squid becomes another user
		return nil, err
	}
	conf := filepath.Join(dir, "squid.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, squidConf, addr, dir), 0o644); err != nil {
		return nil, err
	}
	name := "s" + strings.ReplaceAll(filepath.Base(r.Dir), "-", "") // of its shared memory: one for each proxy
	p, err := r.Start(on, program.Spec{Name: "squid", Args: []string{"/usr/sbin/squid", "-N", "-n", name, "-f", conf}})
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if err = on.Enter(func() error { return knock(addr) }); err == nil {
			return p, nil
		}
		if time.Now().After(deadline) {
			p.Kill()
			return nil, fmt.Errorf("squid does not listen: %w; it said:\n%s", err, p.Tail(10))
		}
	}
}

func knock(addr netip.AddrPort) error {
	conn, err := net.DialTimeout("tcp", addr.String(), time.Second)
	if err == nil {
		conn.Close()
	}
	return err
}
