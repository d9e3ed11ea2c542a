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
	NS, Dev string
	Addr    netip.Prefix
	fd      int
	created bool // the namespace is ours to remove
}

// newEnd makes the namespace if there is none of that name, and in it a TUN
// device that has addr and the default route.
func newEnd(ns, dev string, addr netip.Prefix, mtu int) (*End, error) {
	e := &End{NS: ns, Dev: dev, Addr: addr, fd: -1}
	if _, err := os.Stat(filepath.Join(netnsDir, ns)); os.IsNotExist(err) {
		if err := ip("netns", "add", ns); err != nil {
			return nil, err
		}
		e.created = true
	}
	err := inNetns(ns, func() (err error) {
		e.fd, err = openTUN(dev)
		return err
	})
	for _, args := range [][]string{
		{"link", "set", "dev", "lo", "up"},
		{"link", "set", "dev", dev, "addrgenmode", "none"}, // no packets of its own
		{"link", "set", "dev", dev, "mtu", strconv.Itoa(mtu), "txqueuelen", "1000", "up"},
		{"addr", "add", addr.String(), "dev", dev},
		{family(addr), "route", "replace", "default", "dev", dev},
	} {
		if err == nil {
			err = ip(append([]string{"-n", ns}, args...)...)
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
	for _, args := range [][]string{
		{"addr", "add", to.String(), "dev", e.Dev},
		{"addr", "del", e.Addr.String(), "dev", e.Dev},
		{family(to), "route", "replace", "default", "dev", e.Dev},
	} {
		if err := ip(append([]string{"-n", e.NS}, args...)...); err != nil {
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

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// inNetns calls fn on a thread that is in the named namespace.
func inNetns(ns string, fn func() error) error { return (&lab.Host{NS: ns}).Enter(fn) }

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
