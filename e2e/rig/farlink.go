package rig

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// FarLink is two hosts with nothing but an emulated link between them. What runs on one host is near.
type FarLink struct {
	Here, There *lab.Host
	emulator    *program.Program
	control     string // path of the emulator's socket
}

// links tells the links of one process apart.
var links atomic.Int32

// NewFarLink makes the hosts and a link of the given conditions, as e2e/linkem takes them: "delay=25ms" each way. Its program
// is built into dir if it is not there, and takes args beside. The caller closes it, after what runs on the hosts.
func NewFarLink(dir, conditions string, args ...string) (*FarLink, error) {
	path := filepath.Join(dir, "linkem")
	if _, err := os.Stat(path); err != nil {
		if err := program.Build(path, "linkem"); err != nil {
			return nil, err
		}
	}
	prefix := fmt.Sprintf("tp%d-%d", os.Getpid(), links.Add(1))
	l := &FarLink{
		Here:  &lab.Host{NS: prefix + "-here", Addr: netip.MustParseAddr("10.77.0.1")},
		There: &lab.Host{NS: prefix + "-there", Addr: netip.MustParseAddr("10.77.0.2")},

		control: filepath.Join(dir, prefix+".sock"),
	}
	var err error
	l.emulator, err = program.Start(program.Spec{
		Tidies: true, // it has made the hosts
		Args: append([]string{
			path, "-ns-a", l.Here.NS, "-addr-a", l.Here.Addr.String() + "/24",
			"-ns-b", l.There.NS, "-addr-b", l.There.Addr.String() + "/24", "-both", conditions, "-control", l.control,
		}, args...),
	})
	if err != nil {
		return nil, err
	}
	if _, err = l.emulator.WaitFor(regexp.MustCompile("^ready"), startTimeout); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Move gives Here another address and takes the old one away. What was sent from the old one is not told.
func (l *FarLink) Move() error {
	first, second := netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.3")
	to := map[netip.Addr]netip.Addr{first: second, second: first}[l.Here.Addr]
	old := l.Here.Addr
	l.Here.Addr = to
	return l.Here.Replace("lnk0", old, to)
}

// Do has the emulator carry out a command, such as "both down", and returns its answer.
func (l *FarLink) Do(command string) (answer string, err error) {
	conn, err := net.Dial("unix", l.control)
	if err != nil {
		return "", fmt.Errorf("reach the link's emulator: %w", err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, command); err != nil {
		return "", fmt.Errorf("tell the link's emulator: %w", err)
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch text, bad := strings.CutPrefix(lines.Text(), "error: "); {
		case bad:
			return "", fmt.Errorf("link: %s: %s", command, text)
		case text == "ok":
			return answer, nil
		default:
			answer += text
		}
	}
	return "", fmt.Errorf("link: %s: no answer", command)
}

// LinkTraffic is what was offered to a link, in whole IP packets and their bytes.
type LinkTraffic struct{ Packets, Bytes uint64 }

// Traffic counts both directions.
func (l *FarLink) Traffic() (sum LinkTraffic, err error) {
	answer, err := l.Do("stats")
	if err != nil {
		return sum, err
	}
	var directions map[string]LinkTraffic
	if err := json.Unmarshal([]byte(answer), &directions); err != nil {
		return sum, fmt.Errorf("link's counters: %w", err)
	}
	for _, d := range directions {
		sum.Packets += d.Packets
		sum.Bytes += d.Bytes
	}
	return sum, nil
}

// Close ends the link, and removes the hosts.
func (l *FarLink) Close() { l.emulator.Stop(5 * time.Second) }
