package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/telepath-iot/telepath/e2e/lab"
)

const netnsDir = "/run/netns"

// End is one end of the link: a namespace with a TUN device in it.
type End struct {
	NS, Dev string // NS "": this program's own namespace
	Addr    netip.Prefix
	fd      int
	created bool // the namespace is ours to remove
}

// newEnd makes the namespace if there is none of that name, and in it a TUN
// device that has addr and the default route.
func newEnd(ns, dev string, addr netip.Prefix, mtu int) (*End, error) {
	e := &End{NS: ns, Dev: dev, Addr: addr, fd: -1}
	if _, err := os.Stat(filepath.Join(netnsDir, ns)); ns != "" && os.IsNotExist(err) {
		if err := ip("netns", "add", ns); err != nil {
			return nil, err
		}
		e.created = true
	}
	err := inNetns(ns, func() (err error) {
		e.fd, err = openTUN(dev)
		return err
	})
	steps := [][]string{
		{"link", "set", "dev", dev, "addrgenmode", "none"}, // no packets of its own
		{"link", "set", "dev", dev, "mtu", strconv.Itoa(mtu), "txqueuelen", "1000", "up"},
		{"addr", "add", addr.String(), "dev", dev},
	}
	if ns != "" { // this machine's own routes stay as they are
		steps = append(steps, []string{"link", "set", "dev", "lo", "up"}, []string{family(addr), "route", "replace", "default", "dev", dev})
	}
	for _, args := range steps {
		if err == nil {
			err = e.ip(args...)
		}
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Move gives the end another address and takes the old one away, as when a
// device changes networks. Sockets bound to the old address are not told.
func (e *End) Move(to netip.Prefix) error {
	steps := [][]string{
		{"addr", "add", to.String(), "dev", e.Dev},
		{"addr", "del", e.Addr.String(), "dev", e.Dev},
	}
	if e.NS != "" {
		steps = append(steps, []string{family(to), "route", "replace", "default", "dev", e.Dev})
	}
	for _, args := range steps {
		if err := e.ip(args...); err != nil {
			return err
		}
	}
	e.Addr = to
	return nil
}

// Close removes the device, and the namespace if newEnd made it.
func (e *End) Close() {
	if e.fd >= 0 {
		_ = unix.Close(e.fd)
	}
	if e.created {
		_ = ip("netns", "del", e.NS)
	}
}

func family(p netip.Prefix) string {
	if p.Addr().Is6() {
		return "-6"
	}
	return "-4"
}

// ip runs it in the end's namespace.
func (e *End) ip(args ...string) error {
	if e.NS != "" {
		args = append([]string{"-n", e.NS}, args...)
	}
	return ip(args...)
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// inNetns calls fn on a thread that is in the named namespace; "": in this one.
func inNetns(ns string, fn func() error) error {
	if ns == "" {
		return fn()
	}
	return (&lab.Host{NS: ns}).Enter(fn)
}

// openTUN makes a layer 3 device in the calling thread's namespace.
func openTUN(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	req, err := unix.NewIfreq(name)
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("make TUN device %s: %w", name, err)
	}
	return fd, nil
}
