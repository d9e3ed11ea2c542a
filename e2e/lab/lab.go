// Package lab is a network laboratory on one machine: hosts in network namespaces, each with an address of its own, joined by
// one switch. The kernel's own TCP, UDP, multicast and firewall are at work, so what a program meets here it meets outside.
// Linux, root, `ip` and `nft` are needed; Missing says what is not there.
//
//	dev ──┐
//	srv ──┼── switch        10.88.0.0/24, one veth pair a host
//	view ─┘
package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Lab is a set of hosts on one switch.
type Lab struct {
	hosts    map[string]*Host
	switchNS string
	prefix   string              // of the namespaces' names
	last     netip.Addr          // of the newest host
	ready    func(h *Host) error // called for each host on the switch
	homes    int                 // behind routers
	forget   func()              // when it is closed
}

// Host is one namespace with one address.
type Host struct {
	NS   string
	Addr netip.Addr
}

// Missing says in words what this machine lacks to be a laboratory; nil if nothing.
func Missing() error {
	var lacks []string
	if os.Geteuid() != 0 {
		lacks = append(lacks, "root (network namespaces)")
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := lookup(program); err != nil {
			lacks = append(lacks, program)
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("needs %s", strings.Join(lacks, ", "))
	}
	return nil
}

// count of the laboratories that this process has made.
var count atomic.Int64

// New builds a laboratory with the named hosts. Namespaces are called after this process and the laboratory's number in it, so
// that several can be there at a time.
func New(names ...string) (*Lab, error) {
	return build(netip.MustParsePrefix("10.88.0.0/24"), func(*Host) error { return nil }, names)
}

func build(network netip.Prefix, ready func(*Host) error, names []string) (*Lab, error) {
	prefix := fmt.Sprintf("tp%d-%d", os.Getpid(), count.Add(1))
	l := &Lab{hosts: map[string]*Host{}, switchNS: prefix + "-switch", prefix: prefix, last: network.Addr(), ready: ready, forget: func() {}}
	forget, err := tidy.Make(func() error { return l.begin(names) }, nil, func() { removeAll(prefix + "-") })
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.forget = forget
	return l, nil
}

// begin makes the switch and the first hosts.
func (l *Lab) begin(names []string) error {
	err := run(
		"ip netns add "+l.switchNS,
		"ip -n "+l.switchNS+" link add br0 type bridge",
		"ip -n "+l.switchNS+" link set br0 up",
	)
	for _, name := range names {
		if err == nil {
			_, err = l.add(name)
		}
	}
	return err
}

// add puts a host on the switch.
func (l *Lab) add(name string) (*Host, error) {
	l.last = l.last.Next()
	h := &Host{NS: l.prefix + "-" + name, Addr: l.last}
	l.hosts[name] = h
	if err := h.plugInto(l.switchNS, fmt.Sprintf("port%d", l.last.As4()[3])); err != nil {
		return nil, err
	}
	return h, l.ready(h)
}

// plugInto joins h to the switch. The default route is for multicast: that is how .local names are asked for.
func (h *Host) plugInto(switchNS, port string) error {
	return run(
		"ip netns add "+h.NS,
		"ip -n "+switchNS+" link add "+port+" type veth peer name eth0 netns "+h.NS,
		"ip -n "+switchNS+" link set "+port+" master br0 up",
		"ip -n "+h.NS+" link set lo up",
		"ip -n "+h.NS+" addr add "+h.Addr.String()+"/24 dev eth0",
		"ip -n "+h.NS+" link set eth0 up",
		"ip -n "+h.NS+" route add default dev eth0",
	)
}

// Host returns a host by its name; it must be one that New was given.
func (l *Lab) Host(name string) *Host { return l.hosts[name] }

// Close removes all namespaces, and with them their interfaces and rules.
func (l *Lab) Close() error {
	defer l.forget()
	var errs []error
	for _, h := range l.hosts {
		errs = append(errs, remove(h.NS), os.RemoveAll(h.files()))
	}
	return errors.Join(append(errs, remove(l.switchNS))...)
}

// removeAll removes what the names of a laboratory begin with. It is for a process that ends, whatever else that is doing.
func removeAll(prefix string) {
	for _, made := range []string{"/run/netns/", "/etc/netns/"} {
		found, _ := filepath.Glob(made + prefix + "*") // the pattern is none that could be wrong
		for _, path := range found {
			_ = remove(filepath.Base(path)) // there is nobody to be told
			_ = os.RemoveAll(filepath.Join("/etc/netns", filepath.Base(path)))
		}
	}
}

func remove(ns string) error {
	if _, err := os.Stat("/run/netns/" + ns); err != nil {
		return nil // never came to be
	}
	return run("ip netns del " + ns)
}

// CutUDP makes h's firewall drop all UDP silently, both ways: what a strict network does to a path in use.
func (h *Host) CutUDP() error {
	return h.nft("table inet cut {\n" +
		" chain in { type filter hook input priority 0; meta l4proto udp drop; }\n" +
		" chain out { type filter hook output priority 0; meta l4proto udp drop; }\n}")
}

// MendUDP takes CutUDP's rules away.
func (h *Host) MendUDP() error { return h.nft("delete table inet cut") }

// PartUDP makes h's firewall drop all UDP from and to one other host: the two reach third parties, and not one another.
func (h *Host) PartUDP(other *Host) error {
	return h.nft(fmt.Sprintf("table inet part {\n"+
		" chain in { type filter hook input priority 0; ip saddr %s meta l4proto udp drop; }\n"+
		" chain out { type filter hook output priority 0; ip daddr %s meta l4proto udp drop; }\n}", other.Addr, other.Addr))
}

func (h *Host) nft(rules string) error {
	cmd := exec.Command(sbin("ip"), "netns", "exec", h.NS, sbin("nft"), "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	return do(cmd)
}

// Unplug pulls the host's cable; Plug puts it back.
func (h *Host) Unplug() error { return run("ip -n " + h.NS + " link set eth0 down") }

// Plug undoes Unplug.
func (h *Host) Plug() error {
	return run("ip -n "+h.NS+" link set eth0 up", "ip -n "+h.NS+" route replace default dev eth0")
}

// Wrap returns the command line that runs args on h. The program takes the place of `ip`, so its process id is the command's.
// A nil host stands for the machine itself.
func (h *Host) Wrap(args ...string) []string {
	if h == nil {
		return args
	}
	return append([]string{sbin("ip"), "netns", "exec", h.NS}, args...)
}

func run(commands ...string) error {
	for _, line := range commands {
		fields := strings.Fields(line)
		if err := do(exec.Command(sbin(fields[0]), fields[1:]...)); err != nil {
			return err
		}
	}
	return nil
}

func do(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

func sbin(program string) string {
	if path, err := lookup(program); err == nil {
		return path
	}
	return program
}

// lookup also finds what lies in the system's folders: an ordinary user's PATH on Debian lacks them.
func lookup(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", program))
}
