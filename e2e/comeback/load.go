package comeback

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// loadVariable tells a program that it is to be the crowd, and what it is to do.
const loadVariable = "TELEPATH_COMEBACK"

// order is what the crowd is told to do.
type order struct {
	URL, Token string
	Devices    int // device-0 …, watched in turn
	Conns      int
}

// note is a line that the crowd says.
type note struct {
	Conn int
	What string // up, down: its link; sample: one came
	At   int64  // µs
	Made int64  // sample: its time, µs
	Rung string // sample: the path it came on
	Why  string // down
}

const (
	// tellEvery is the time between two samples of a Conn that are told: who needs no new link says nothing else.
	tellEvery = time.Second
	// arrivals are how many are told at once when a link came.
	arrivals = 5
	// arriving is the time between two Conns that come for the first time.
	arriving = 10 * time.Millisecond
)

// IsLoad reports whether this program was started to be the crowd: its main then calls Load and nothing else.
func IsLoad() bool { return os.Getenv(loadVariable) != "" }

// Load is the crowd: many Conns in one process, with a socket each, which stay on the relay. It returns when it is asked to end.
func Load() error {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(loadVariable)), &o); err != nil {
		return fmt.Errorf("%s: %w", loadVariable, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	said := &log{out: json.NewEncoder(os.Stdout)}
	var all sync.WaitGroup
	defer all.Wait()
	for i := range o.Conns {
		m := &member{number: i, log: said}
		conn, err := peer.Dial(peer.ViewConfig{
			Endpoint: peer.Endpoint{URL: o.URL, Token: o.Token, Proxy: peer.ProxyNone},
			Device:   deviceName(i % o.Devices), NoDirect: true,
			Events: peer.Events{Link: m.link, Batch: m.batch},
		})
		if err != nil {
			return err
		}
		all.Go(func() {
			if err := conn.Run(ctx); err != nil {
				m.say(note{What: "end", Why: err.Error()})
			}
		})
		select {
		case <-time.After(arriving):
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	return nil
}

func deviceName(i int) string { return fmt.Sprintf("device-%d", i) }

// log writes notes, of all Conns' goroutines.
type log struct {
	mu  sync.Mutex
	out *json.Encoder
}

// member is one Conn of the crowd. Its callbacks come one at a time.
type member struct {
	number  int
	log     *log
	told    int // samples since the link came
	last    time.Time
	decoded telemetry.Batch
}

func (m *member) say(n note) {
	n.Conn, n.At = m.number, time.Now().UnixMicro()
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	_ = m.log.out.Encode(n) // who started us is gone, or reads
}

func (m *member) link(linked bool, err error) {
	if linked {
		m.told = 0
		m.say(note{What: "up"})
		return
	}
	m.say(note{What: "down", Why: fmt.Sprint(err)})
}

func (m *member) batch(r peer.Received) {
	if r.Retained || r.Header.Class != wire.Live || m.told >= arrivals && time.Since(m.last) < tellEvery {
		return
	}
	if err := telemetry.Decode(&m.decoded, r.Payload, int(r.Header.Count)); err != nil {
		m.say(note{What: "end", Why: err.Error()})
		return
	}
	m.told++
	m.last = time.Now()
	m.say(note{What: "sample", Made: m.decoded.T[r.Skip+r.Take-1], Rung: r.Rung.String()})
}

// relayed are the rungs on which a Conn of the crowd may stand.
var relayed = []string{ladder.RelayUDP.String(), ladder.WS.String(), ladder.SSE.String(), ladder.Poll.String()}
