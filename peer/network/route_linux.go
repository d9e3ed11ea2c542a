package network

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// gateway is this machine's way out: interface and router of the default route.
func gateway() string {
	f, err := os.Open("/proc/net/route")
	if err != nil {
		return ""
	}
	defer f.Close()
	return defaultRoute(f)
}

// maxRoutes bounds how much of a routing table is read, in bytes.
const maxRoutes = 1 << 20

// defaultRoute finds interface and gateway in what Linux writes to
// /proc/net/route: a header, then lines of interface, destination, gateway, …
// in hexadecimal. Of several, the order of the table decides.
func defaultRoute(table io.Reader) string {
	lines := bufio.NewScanner(io.LimitReader(table, maxRoutes))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 7 && fields[1] == "00000000" && fields[7] == "00000000" {
			return fields[0] + " " + fields[2]
		}
	}
	return ""
}
