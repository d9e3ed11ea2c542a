package comeback

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
)

// every is how often the host's count of connections is read.
const every = 50 * time.Millisecond

// connections watches how many TCP connections a host takes; the kernel counts them, whatever a program does with them.
type connections struct {
	stop func() (peak, all int, err error)
}

func watchConnections(on *lab.Host) connections {
	ctx, end := context.WithCancel(context.Background())
	var counts []int
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		failed = on.Enter(func() error {
			for tick := time.NewTicker(every); ; {
				n, err := passiveOpens()
				if err != nil {
					return err
				}
				counts = append(counts, n)
				select {
				case <-ctx.Done():
					tick.Stop()
					return nil
				case <-tick.C:
				}
			}
		})
	}()
	var once sync.Once
	return connections{stop: func() (peak, all int, err error) {
		once.Do(end)
		<-done
		if failed != nil || len(counts) == 0 {
			return 0, 0, errors.Join(failed, errors.New("connections were not counted"))
		}
		window := int(time.Second / every)
		for i := range counts {
			peak = max(peak, counts[i]-counts[max(i-window, 0)])
		}
		return peak, counts[len(counts)-1] - counts[0], nil
	}}
}

// passiveOpens is how many connections this thread's namespace has taken so far.
func passiveOpens() (int, error) {
	text, err := os.ReadFile("/proc/thread-self/net/snmp")
	if err != nil {
		return 0, err
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case fields[0] != "Tcp:":
		case names == nil:
			names = fields
		default:
			for i, name := range names {
				if name == "PassiveOpens" {
					return strconv.Atoi(fields[i])
				}
			}
		}
	}
	return 0, errors.New("/proc/net/snmp has no PassiveOpens")
}
