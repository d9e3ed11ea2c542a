package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// The workload: 100 Hz, 100 bytes.
const (
	rate       = 100
	sampleSize = 100
	warmUp     = 3 * time.Second // until paths, timers and the CPU's clock have settled
)

// load is how many samples a second of how many bytes somebody sends.
type load struct{ rate, size int }

// workload is what all send, unless their condition says otherwise.
var workload = load{rate, sampleSize}

// ages are the percentiles of one subject, one entry a round, in ms.
type ages struct {
	name     string
	p50, p99 []float64
}

func (a *ages) add(samples []float64) error {
	if len(samples) < rate {
		return fmt.Errorf("%s: only %d samples came", a.name, len(samples))
	}
	a.p50 = append(a.p50, percentile(samples, 0.50))
	a.p99 = append(a.p99, percentile(samples, 0.99))
	return nil
}

func percentile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

func median(values []float64) float64 { return percentile(values, 0.5) }

// ageResult holds the subjects of a run.
type ageResult struct{ barePion, direct, barePionRelay, channels, bareSocket, relayed ages }

// measureAges runs the subjects in turn, round by round, all on one host's loopback. What must be relayed runs with UDP cut.
func measureAges(rounds int, length time.Duration) (*ageResult, error) {
	l, err := lab.New("solo")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	host := l.Host("solo")
	result := &ageResult{
		barePion: ages{name: "bare pion channel"}, direct: ages{name: "telepath, direct"},
		barePionRelay: ages{name: "bare pion relay"}, channels: ages{name: "telepath, relayed over data channels"},
		bareSocket: ages{name: "bare WebSocket relay"}, relayed: ages{name: "telepath, relayed"},
	}
	for round := range rounds {
		fmt.Printf("age: round %d of %d\n", round+1, rounds)
		if err := result.round(host, length); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (r *ageResult) round(host *lab.Host, length time.Duration) error {
	start, err := starting(host)
	if err != nil {
		return err
	}
	if err := measure(&r.barePion, func() ([]float64, error) { return agesOfPion(start, length) }); err != nil {
		return err
	}
	if err := measure(&r.direct, func() ([]float64, error) { return agesOfProduct(host, "udp", length) }); err != nil {
		return err
	}
	if err := measure(&r.barePionRelay, func() ([]float64, error) { return agesOfRelay(start, "pion", length) }); err != nil {
		return err
	}
	if err := measure(&r.channels, func() ([]float64, error) { return agesOfProduct(host, "relay-udp", length) }); err != nil {
		return err
	}
	if err := host.CutUDP(); err != nil {
		return err
	}
	defer host.MendUDP()
	if err := measure(&r.bareSocket, func() ([]float64, error) { return agesOfRelay(start, "socket", length) }); err != nil {
		return err
	}
	return measure(&r.relayed, func() ([]float64, error) { return agesOfProduct(host, "ws", length) })
}

func measure(a *ages, fn func() ([]float64, error)) error {
	samples, err := fn()
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return a.add(samples)
}

// agesOfProduct watches a simulated device through the product's own command line, on the rung that is asked for.
func agesOfProduct(host *lab.Host, rung string, length time.Duration) ([]float64, error) {
	r, end, err := served(host)
	if err != nil {
		return nil, err
	}
	defer end()
	only := []string{"--only", "ws," + rung} // the links begin on ws, and end where they are asked for
	device, err := r.StartDevice(host, "board", append(only, "--source", fmt.Sprintf("sim,rate=%d,size=%d", rate, sampleSize))...)
	if err != nil {
		return nil, err
	}
	defer device.Kill()
	if err := r.AwaitLive(host, "board", 15*time.Second); err != nil {
		return nil, err
	}
	v, err := r.View(host, "board", only...)
	if err != nil {
		return nil, err
	}
	defer v.Kill()
	return watch(v, rung, length)
}

// served is the product's server on a host's loopback, with files of its own, until end is called.
func served(host *lab.Host) (r *rig.Rig, end func(), err error) {
	r, _, end, err = servedAt(host, "127.0.0.1:8080")
	return r, end, err
}

// servedAt is served at an address of a host's, for who opens its page, too.
func servedAt(host *lab.Host, addr string) (r *rig.Rig, server *rig.Server, end func(), err error) {
	r, remove, err := newRig()
	if err != nil {
		return nil, nil, nil, err
	}
	if server, err = r.StartServer(host, addr); err != nil {
		remove()
		return nil, nil, nil, err
	}
	return r, server, func() {
		server.Kill()
		remove()
	}, nil
}

func watch(v *rig.Watcher, rung string, length time.Duration) ([]float64, error) {
	if _, err := v.AwaitSample(rung, 0, 30*time.Second); err != nil {
		return nil, err
	}
	time.Sleep(warmUp)
	from := v.Mark()
	time.Sleep(length)
	events, err := v.Events()
	if err != nil {
		return nil, err
	}
	var ages []float64
	for _, e := range events[from:] {
		if e.Type == "sample" && e.Path == rung && !e.Retained {
			ages = append(ages, float64(e.At.UnixMicro())/1000-e.T*1000)
		}
	}
	return ages, nil
}

// starting starts the ends of a comparison as processes of their own, as the product's are.
func starting(host *lab.Host) (starter, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	start := func(onLine func(program.Line), args ...string) (*program.Program, error) {
		command := append([]string{self, "bare"}, args...)
		return program.Start(program.Spec{Name: args[0], Stdin: true, OnLine: onLine, Args: host.Wrap(command...)})
	}
	return start, nil
}
