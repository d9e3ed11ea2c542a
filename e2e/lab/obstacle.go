package lab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// Redirect makes the host's TCP connections to one address end at another one, a box that the programs do not know of: they
// see the address that they asked for.
func (h *Host) Redirect(from, to netip.AddrPort) error {
	family := map[bool]string{true: "ip", false: "ip6"}[from.Addr().Is4()]
	return h.nft(fmt.Sprintf("table inet detour {\n"+
		" chain out { type nat hook output priority -100; %s daddr %s tcp dport %d dnat %s to %s; }\n}",
		family, from.Addr(), from.Port(), family, to))
}

// Fence leaves the host one other to talk to, its proxy: everything from and to others is dropped silently.
func (h *Host) Fence(proxy *Host) error {
	return h.nft(fmt.Sprintf("table inet fence {\n"+
		" chain in { type filter hook input priority 0; policy drop; iif lo accept; ip saddr %s meta l4proto tcp accept; }\n"+
		" chain out { type filter hook output priority 0; policy drop; oif lo accept; ip daddr %s meta l4proto tcp accept; }\n}",
		proxy.Addr, proxy.Addr))
}

// Part makes h's firewall drop all UDP from and to another host silently, as two NATs that do not fit do.
func (h *Host) Part(from *Host) error {
	return h.nft(fmt.Sprintf("table inet part {\n"+
		" chain in { type filter hook input priority 0; ip saddr %s meta l4proto udp drop; }\n"+
		" chain out { type filter hook output priority 0; ip daddr %s meta l4proto udp drop; }\n}", from.Addr, from.Addr))
}

// Join undoes Part.
func (h *Host) Join() error { return h.nft("delete table inet part") }

// Readdress gives the host these addresses and takes all others away, of both families.
func (h *Host) Readdress(to ...netip.Prefix) error {
	commands := []string{"ip -n " + h.NS + " addr flush dev eth0"}
	for _, p := range to {
		family, flags := "-4", ""
		if p.Addr().Is6() {
			family, flags = "-6", " nodad" // it would be tentative, and of no use, for a second
		}
		commands = append(commands,
			"ip -n "+h.NS+" addr add "+p.String()+" dev eth0"+flags,
			"ip -n "+h.NS+" "+family+" route replace default dev eth0")
	}
	return run(commands...)
}

// DenyInbound is a firewall as boards have it: what the host has not asked for does not come in, answers do, and connections to
// these TCP ports. Whoever else wants to meet it must be sent something first.
func (h *Host) DenyInbound(open ...uint16) error {
	rules := strings.Builder{}
	for _, port := range open {
		fmt.Fprintf(&rules, " tcp dport %d accept;", port)
	}
	return h.nft("table inet firewall {\n chain in { type filter hook input priority 0; policy drop;\n" +
		"  iif lo accept; ct state established,related accept;" + rules.String() + " }\n}")
}

// Replace gives an interface of the host another address in the place of one that it has. The old one goes first: the kernel takes
// later ones of the same network away with it.
func (h *Host) Replace(dev string, from, to netip.Addr) error {
	return run(
		"ip -n "+h.NS+" addr del "+from.String()+"/24 dev "+dev,
		"ip -n "+h.NS+" addr add "+to.String()+"/24 dev "+dev,
		"ip -n "+h.NS+" route replace default dev "+dev,
	)
}

// Knows makes programs that are started on h from now on find names under addresses, as /etc/hosts does.
func (h *Host) Knows(names map[string]netip.Addr) error {
	text := strings.Builder{}
	fmt.Fprintln(&text, "127.0.0.1 localhost")
	for name, addr := range names {
		fmt.Fprintln(&text, addr, name)
	}
	return h.Etc("hosts", text.String())
}

// Etc lets programs that are started on h from now on find a file below /etc: the first part of its path, a file or a folder,
// must be in the machine's /etc too, and is hidden by what h has under that name.
func (h *Host) Etc(path, content string) error {
	path = filepath.Join(h.files(), path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// files is the folder whose content `ip netns exec` puts in the place of that of /etc.
func (h *Host) files() string { return filepath.Join("/etc/netns", h.NS) }
