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
