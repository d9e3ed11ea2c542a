package ladder

// Rung is a kind of path. A smaller one is better.
type Rung uint8

// The rungs, best first (docs/protocol.md, section 7).
const (
	UDP Rung = iota
	TurnUDP
	RelayUDP
	TCP
	TurnTCP
	TurnTLS
	RelayTCP
	WS
	SSE
	Poll
	rungs
)

var rungNames = [rungs]string{
	"udp", "turn-udp", "relay-udp", "tcp", "turn-tcp", "turn-tls", "relay-tcp", "ws", "sse", "poll",
}

// String returns the rung's name as command lines, JSON, logs and metrics show it.
func (r Rung) String() string {
	if r < rungs {
		return rungNames[r]
	}
	return "unknown"
}

// ParseRung is the inverse of String.
func ParseRung(name string) (Rung, bool) {
	for r, n := range rungNames {
		if n == name {
			return Rung(r), true
		}
	}
	return 0, false
}
