package host

import (
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/net"
)

// maxInterfaces bounds the streams of a machine with many interfaces.
const maxInterfaces = 16

// networkTraffic measures what interfaces receive and send.
type networkTraffic struct{ rates rates }

func (n *networkTraffic) collect(now time.Time) ([]measurement, error) {
	counters, err := net.IOCounters(true)
	if err != nil {
		return nil, err
	}
	if n.rates == nil {
		n.rates = rates{}
	}
	var out []measurement
	for _, c := range counters {
		if insideOnly(c.Name) || c.BytesRecv+c.BytesSent == 0 || len(out) >= 2*maxInterfaces {
			continue
		}
		out = n.append(out, now, c.Name, "received", c.BytesRecv)
		out = n.append(out, now, c.Name, "sent", c.BytesSent)
	}
	n.rates.forget(now)
	return out, nil
}

func (n *networkTraffic) append(out []measurement, now time.Time, iface, what string, bytes uint64) []measurement {
	name := "network/" + iface + "/" + what
	perSecond, ok := n.rates.per(name, now, float64(bytes))
	if !ok {
		return out
	}
	return append(out, measurement{
		name: name, label: iface + " " + what, group: "Network " + iface,
		unit: "kB/s", value: round(perSecond/1000, 1),
	})
}

// insideOnly tells interfaces that lead nowhere beyond this machine: loopback,
// and the inner ends of containers and bridges, whose traffic is counted outside again.
func insideOnly(name string) bool {
	for _, prefix := range []string{"lo", "veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "ifb", "dummy", "tap"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
