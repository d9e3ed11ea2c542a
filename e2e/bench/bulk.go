package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// The workload: what a device has kept, in values as large as they may be.
const (
	bulkSize  = 8192 // bytes of a value, and of a message of the bare libraries
	bulkRate  = 2500 // values a second, while it is made
	bulkNear  = 32 << 20
	bulkFar   = 16 << 20
	bulkDelay = "delay=50ms" // of the far link, each way
	bulkIdle  = 2 * time.Second
	bulkTime  = 60 * time.Second // for one transfer
)

// bulkWay is where something is moved, and over which rung.
type bulkWay struct {
	far  bool
	rung string
}

var bulkWays = []bulkWay{{false, "udp"}, {false, "relay-udp"}, {false, "ws"}, {true, "udp"}, {true, "relay-udp"}, {true, "ws"}}

// bulkRow is one subject on one way, one entry a round; the ages, in ms, of all rounds.
type bulkRow struct {
	rate         []float64 // MB/s, from the first value to the last
	idle, beside []float64
}

// bulkResult holds the subjects, by way: the product, and a bare library beside it.
type bulkResult struct {
	rounds     int
	ours, bare map[bulkWay]*bulkRow
}

// measureBulk moves what a device has kept, round by round, on one host's loopback and over a link with 100 ms round trip.
func measureBulk(rounds int) (*bulkResult, error) {
	result := &bulkResult{rounds: rounds, ours: map[bulkWay]*bulkRow{}, bare: map[bulkWay]*bulkRow{}}
	for _, w := range bulkWays {
		result.ours[w], result.bare[w] = &bulkRow{}, &bulkRow{}
	}
	l, err := lab.New("solo")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	solo := l.Host("solo")
	if err := result.measure(bulkPlace{here: solo, there: solo, address: "127.0.0.1", bytes: bulkNear}); err != nil {
		return nil, err
	}
	_, far, end, err := newFar(bulkDelay, "-rt")
	if err != nil {
		return nil, err
	}
	defer end()
	return result, result.measure(bulkPlace{far: true, here: far.Here, there: far.There, address: far.Here.Addr.String(), bytes: bulkFar})
}

// bulkPlace is where the ends are: server and receiver here, what sends there.
type bulkPlace struct {
	far         bool
	here, there *lab.Host
	address     string // of here
	bytes       int
}

func (r *bulkResult) measure(p bulkPlace) error {
	product, end, err := newRig()
	if err != nil {
		return err
	}
	defer end()
	server, err := product.StartServer(p.here, p.address+":8080")
	if err != nil {
		return err
	}
	defer server.Kill()
	if err := fillSpool(product, p); err != nil {
		return err
	}
	for round := range r.rounds {
		for _, w := range bulkWays {
			if w.far != p.far {
				continue
			}
			fmt.Printf("bulk: round %d of %d: %s\n", round+1, r.rounds, w)
			if err := r.ours[w].moveKept(product, p, w.rung); err != nil {
				return fmt.Errorf("%s: %w", w, err)
			}
			if err := r.bare[w].moveBare(p, w.bare()); err != nil {
				return fmt.Errorf("bare, %s: %w", w, err)
			}
		}
	}
	return nil
}

func (w bulkWay) String() string {
	if w.far {
		return w.rung + " at 100 ms"
	}
	return w.rung
}

// bare is the library of the way.
func (w bulkWay) bare() string {
	if w.rung == "ws" {
		return "socket"
	}
	return "pion"
}

// fillSpool runs a device until it has kept enough, and ends it.
func fillSpool(r *rig.Rig, p bulkPlace) error {
	device, err := r.StartDevice(p.there, "board", "--source", fmt.Sprintf("sim,rate=%d,size=%d", bulkRate, bulkSize))
	if err != nil {
		return err
	}
	defer device.Kill()
	for end := time.Now().Add(bulkTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		kept, err := folderSize(filepath.Join(r.Dir, "device-board", "spool"))
		if err != nil {
			return err
		}
		if kept >= p.bytes {
			return nil
		}
	}
	return fmt.Errorf("no %d bytes were kept within %v; the device said:\n%s", p.bytes, bulkTime, device.Tail(10))
}

func folderSize(path string) (bytes int, err error) {
	files, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	for _, file := range files {
		if info, err := file.Info(); err == nil { // it may be gone
			bytes += int(info.Size())
		}
	}
	return bytes, err
}

// moveKept has a viewer fetch what the device kept, over one rung, beside what is live. The viewer is a program of the benchmark
// that counts: printing a line for each value, and reading it here, would be most of what is measured.
func (b *bulkRow) moveKept(r *rig.Rig, p bulkPlace, rung string) error {
	device, err := r.StartDevice(p.there, "board", "--only", rung, "--source", fmt.Sprintf("sim,rate=%d,size=%d", rate, sampleSize))
	if err != nil {
		return err
	}
	defer device.Kill()
	if err := r.AwaitLive(p.here, "board", 15*time.Second); err != nil {
		return err
	}
	start, err := starting(p.here)
	if err != nil {
		return err
	}
	var ages bulkAges
	receiver, err := start(ages.line, "bulk-viewer", r.URL, r.Token("viewer"), rung)
	if err != nil {
		return err
	}
	defer receiver.Kill()
	m, err := awaitMoved(receiver, p.bytes)
	if err != nil {
		return err
	}
	b.rate = append(b.rate, m.rate())
	time.Sleep(bulkIdle)
	ages.add(b, m)
	return nil
}

// moveBare has a bare library move as much.
func (b *bulkRow) moveBare(p bulkPlace, kind string) error {
	here, err := starting(p.here)
	if err != nil {
		return err
	}
	there, err := starting(p.there)
	if err != nil {
		return err
	}
	at := p.address + ":8090"
	var relay *program.Program
	if kind == "socket" {
		if relay, err = here(nil, "socket-relay", at); err != nil {
			return err
		}
		defer relay.Kill()
		if _, err := relay.WaitFor(listening, 10*time.Second); err != nil {
			return err
		}
	}
	receiver, err := here(nil, "bulk-"+kind+"-receiver", at)
	if err != nil {
		return err
	}
	defer receiver.Kill()
	if _, err := receiver.WaitFor(listening, 10*time.Second); err != nil {
		return err
	}
	sender, err := there(nil, "bulk-"+kind+"-sender", at, strconv.Itoa(p.bytes))
	if err != nil {
		return err
	}
	defer sender.Kill()
	m, err := awaitMoved(receiver, p.bytes)
	if err == nil {
		b.rate = append(b.rate, m.rate())
	}
	return err
}

// moved is what a receiver says when nothing has come for a while.
type moved struct {
	bytes       int
	first, last int64 // µs since 1970
}

func (m moved) rate() float64 { return float64(m.bytes) / float64(max(1, m.last-m.first)) }

var movedLine = regexp.MustCompile(`^moved (\d+) (\d+) (\d+)$`)

func awaitMoved(receiver *program.Program, want int) (m moved, err error) {
	found, err := receiver.WaitFor(movedLine, bulkTime)
	if err != nil {
		return m, err
	}
	if _, err := fmt.Sscan(found[1]+" "+found[2]+" "+found[3], &m.bytes, &m.first, &m.last); err != nil {
		return m, err
	}
	if m.bytes < want*9/10 {
		return m, fmt.Errorf("only %d of %d bytes came; the receiver said:\n%s", m.bytes, want, receiver.Tail(10))
	}
	return m, nil
}
