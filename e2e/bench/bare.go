package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
)

// bare is one end of a comparison, in a process of its own: the library and nothing else.
func bare(role string, args []string) error {
	switch role {
	case "tcp-sender":
		return sendKept(dialTCP(args[0]))
	case "tcp-receiver":
		return tcpReceiver(args[0])
	case "mqtt-sender":
		return sendKept(dialMQTT(args[0]))
	case "mqtt-receiver":
		return mqttReceiver(args[0])
	case "socket-sender":
		return sendKept(dialSocket(args[0]))
	case "pion-caller":
		return sendKept(callPion(args[0], args[1]))
	case "pion-called":
		return pionCalled(args[0], args[1])
	case "pion-sender":
		return pionSender()
	case "pion-receiver":
		return pionReceiver()
	case "pion-pinger":
		return pionPinger()
	case "pion-echo":
		return pionEcho()
	case "telepath-driver":
		return telepathDriver(args[0], args[1], len(args) > 2)
	case "pion-relay":
		return pionRelay()
	case "udp-sender":
		return datagramSender(args)
	case "udp-receiver":
		return datagramReceiver(args)
	case "pion-relay-sender":
		return pionRelaySender(args[0])
	case "pion-relay-receiver":
		return pionRelayReceiver(args[0])
	case "pion-relay-crowd":
		return startCrowd(args, pionCrowd)
	case "socket-relay":
		return socketRelay(args)
	case "socket-relay-sender":
		return socketSender(args[0])
	case "socket-relay-receiver":
		return socketReceiver(args[0])
	case "socket-relay-crowd":
		return startCrowd(args, socketCrowd)
	case "bulk-viewer":
		return bulkViewer(args[0], args[1], args[2])
	case "bulk-socket-receiver":
		return bulkSocketReceiver(args[0])
	case "bulk-socket-sender":
		return bulkSocketSender(args[0], args[1])
	case "bulk-pion-receiver":
		return bulkPionReceiver(args[0])
	case "bulk-pion-sender":
		return bulkPionSender(args[0], args[1])
	case "telepath-crowd":
		return startCrowd(args, telepathCrowd)
	}
	return fmt.Errorf("no role %q", role)
}

// starter starts an end; onLine, if not nil, is called with each line it prints.
type starter func(onLine func(program.Line), args ...string) (*program.Program, error)

// send calls write with a fresh sample, at the rate of the workload, until that fails: the time it was made, its number, then filling.
func send(write func([]byte) error) error { return workload.send(write) }

func (l load) send(write func([]byte) error) error {
	payload, number := make([]byte, l.size), uint64(0)
	for range time.Tick(time.Second / time.Duration(l.rate)) {
		number++
		stamp(payload, number)
		if err := write(payload); err != nil {
			return err
		}
	}
	return nil
}

func stamp(payload []byte, number uint64) {
	binary.BigEndian.PutUint64(payload, uint64(time.Now().UnixMicro()))
	binary.BigEndian.PutUint64(payload[8:], number)
}

// say prints one received sample as the product's viewer does, a JSON line each: what is compared must do the same work.
func say(out *json.Encoder, payload []byte) error { return workload.say(out, payload) }

func (l load) say(out *json.Encoder, payload []byte) error {
	if len(payload) != l.size {
		return fmt.Errorf("a sample of %d bytes came", len(payload))
	}
	made, number := int64(binary.BigEndian.Uint64(payload)), binary.BigEndian.Uint64(payload[8:])
	return out.Encode(map[string]any{"type": "sample", "seq": number, "t": made, "value": payload})
}

func newOutput() *json.Encoder { return json.NewEncoder(os.Stdout) }

var madeAt = regexp.MustCompile(`"t":(\d+)`)

// collector gathers the ages that a bare receiver's lines tell.
type collector struct {
	mu   sync.Mutex
	open bool      // guarded by mu
	ages []float64 // ms; guarded by mu
}

func (c *collector) line(line program.Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found := madeAt.FindStringSubmatch(line.Text); found != nil && c.open {
		made, _ := strconv.ParseInt(found[1], 10, 64) // digits, by the pattern
		c.ages = append(c.ages, float64(line.At.UnixMicro()-made)/1000)
	}
}

func (c *collector) set(open bool) []float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = open
	return c.ages
}

// collect waits for the warm-up to end and gathers for a while.
func (c *collector) collect(length time.Duration) []float64 {
	time.Sleep(warmUp)
	c.set(true)
	time.Sleep(length)
	return c.set(false)
}
