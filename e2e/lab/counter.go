package lab

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// CountOut counts from now on the UDP and TCP packets that h sends to anybody but one other, itself included.
func (h *Host) CountOut(but *Host) error {
	return h.nft(fmt.Sprintf("table inet census {\n counter others {}\n"+
		" chain out { type filter hook output priority 0; ip daddr %s accept; meta l4proto { tcp, udp } counter name others; }\n}", but.Addr))
}

var packetsCounted = regexp.MustCompile(`packets (\d+)`)

// Counted is how many there were since CountOut.
func (h *Host) Counted() (int, error) {
	out, err := exec.Command(sbin("ip"), "netns", "exec", h.NS, sbin("nft"), "list", "counter", "inet", "census", "others").Output()
	if err != nil {
		return 0, fmt.Errorf("read the counter: %w", err)
	}
	found := packetsCounted.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("no count in %q", out)
	}
	return strconv.Atoi(string(found[1]))
}

// CountWire counts from now on all TCP and UDP that h sends to others or gets from them.
func (h *Host) CountWire() error {
	return h.nft("table inet wire {\n counter both {}\n" +
		" chain out { type filter hook output priority 0; oif lo accept; meta l4proto { tcp, udp } counter name both; }\n" +
		" chain in { type filter hook input priority 0; iif lo accept; meta l4proto { tcp, udp } counter name both; }\n}")
}

var wireCounted = regexp.MustCompile(`packets (\d+) bytes (\d+)`)

// Wire is how many packets there were since CountWire, and their bytes from the IP header on.
func (h *Host) Wire() (packets, bytes int, err error) {
	out, err := exec.Command(sbin("ip"), "netns", "exec", h.NS, sbin("nft"), "list", "counter", "inet", "wire", "both").Output()
	if err != nil {
		return 0, 0, fmt.Errorf("read the counter: %w", err)
	}
	found := wireCounted.FindSubmatch(out)
	if found == nil {
		return 0, 0, fmt.Errorf("no count in %q", out)
	}
	if packets, err = strconv.Atoi(string(found[1])); err != nil {
		return 0, 0, err
	}
	bytes, err = strconv.Atoi(string(found[2]))
	return packets, bytes, err
}
