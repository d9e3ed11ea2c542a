package rtc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Priorities of a host's candidates (RFC 8445, section 5.1.2.1; RFC 6544, section
// 4.2): UDP before TCP, the addresses in the order in which they were given.
const (
	preferUDP = 126
	preferTCP = 90
)

func priority(preference, place int) int { return preference<<24 | (0xffff-place)<<8 | 0xff }

// candidates are the lines for the addresses of a host.
func (h *Host) candidates(at []netip.Addr) (lines []string) {
	for i, a := range at[:min(len(at), maxCandidates/2)] {
		if a.Is6() && !h.ip6 || !h.cfg.allows(a) {
			continue
		}
		a = a.Unmap().WithZone("")
		if h.udp != nil {
			lines = append(lines, fmt.Sprintf("a=candidate:%d 1 udp %d %v %d typ host\r\n", 2*i+1, priority(preferUDP, i), a, h.port.udp))
		}
		if h.tcp != nil {
			lines = append(lines, fmt.Sprintf("a=candidate:%d 1 tcp %d %v %d typ host tcptype passive\r\n", 2*i+2, priority(preferTCP, i), a, h.port.tcp))
		}
	}
	return lines
}

// withCandidates puts ours in the place of those in a description.
func withCandidates(text string, ours []string) string {
	lines := slices.Collect(strings.Lines(text))
	lines = slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "a=candidate:") || strings.HasPrefix(line, "a=end-of-candidates")
	})
	lines = append(lines, ours...)
	return strings.Join(append(lines, "a=end-of-candidates\r\n"), "")
}
