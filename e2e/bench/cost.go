package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// many is how many receivers there are when one sample goes to many.
const many = 100

// cost is what a relay spends on a sample that it delivers, in µs of processor time, an entry for each round.
type cost struct {
	name      string
	toOne     []float64
	toMany    []float64
	delivered []float64 // of what many should have got, 0 … 1
}

// costResult holds the subjects of a run.
type costResult struct{ bareSocket, relayed, barePion, channels cost }

// measureCosts runs the relays in turn, round by round, all on one host's loopback: 100 samples a second to one receiver, then to many.
func measureCosts(rounds int, length time.Duration) (*costResult, error) {
	l, err := lab.New("solo")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	host := l.Host("solo")
	start, err := starting(host)
	if err != nil {
		return nil, err
	}
	bare := func(kind string) relaying {
		return func(receivers int) (*flowing, error) { return bareFlow(start, kind, receivers) }
	}
	product := func(rung string) relaying {
		return func(receivers int) (*flowing, error) { return productFlow(host, start, rung, receivers) }
	}
	r := &costResult{
		bareSocket: cost{name: "bare WebSocket relay"}, relayed: cost{name: "telepath, relayed"},
		barePion: cost{name: "bare pion relay"}, channels: cost{name: "telepath, relayed over data channels"},
	}
	for round := range rounds {
		fmt.Printf("cost: round %d of %d\n", round+1, rounds)
		for _, subject := range []struct {
			to   *cost
			flow relaying
		}{
			{&r.bareSocket, bare("socket")}, {&r.relayed, product("ws")}, {&r.barePion, bare("pion")}, {&r.channels, product("relay-udp")},
		} {
			if err := subject.to.measure(subject.flow, length); err != nil {
				return nil, fmt.Errorf("%s: %w", subject.to.name, err)
			}
		}
	}
	return r, nil
}

// relaying starts a relay with a sender and so many receivers.
type relaying func(receivers int) (*flowing, error)

// flowing is one that runs.
type flowing struct {
	relay, crowd *program.Program
	others       []*program.Program
	cleanup      func()
}

func (f *flowing) end() {
	for _, p := range append(f.others, f.crowd, f.relay) {
		if p != nil {
			p.Kill()
		}
	}
	if f.cleanup != nil {
		f.cleanup()
	}
}

func (c *cost) measure(flow relaying, length time.Duration) error {
	one, _, err := spend(flow, 1, length)
	if err != nil {
		return err
	}
	each, delivered, err := spend(flow, many, length)
	if err != nil {
		return err
	}
	c.toOne, c.toMany, c.delivered = append(c.toOne, one), append(c.toMany, each), append(c.delivered, delivered)
	return nil
}

// spend returns what the relay spent on a delivered sample, in µs, and the part of the samples that were delivered.
func spend(start relaying, receivers int, length time.Duration) (micros, delivered float64, err error) {
	f, err := start(receivers)
	if f != nil {
		defer f.end()
	}
	if err != nil {
		return 0, 0, err
	}
	if err := f.awaitAll(receivers); err != nil {
		return 0, 0, err
	}
	time.Sleep(warmUp)
	before, samplesBefore, err := f.read("begin")
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	time.Sleep(length)
	after, samplesAfter, err := f.read("end")
	if err != nil {
		return 0, 0, err
	}
	samples := samplesAfter - samplesBefore
	if samples == 0 {
		return 0, 0, fmt.Errorf("nothing was delivered to %d", receivers)
	}
	want := time.Since(began).Seconds() * rate * float64(receivers)
	return float64((after - before).Microseconds()) / float64(samples), float64(samples) / want, nil
}

// read returns the relay's processor time and the samples that the crowd has.
func (f *flowing) read(token string) (cpu time.Duration, samples int, err error) {
	if cpu, err = f.relay.CPU(); err != nil {
		return 0, 0, err
	}
	samples, _, err = f.ask(token)
	return cpu, samples, err
}

// ask asks the crowd; a token is used once.
func (f *flowing) ask(token string) (samples, present int, err error) {
	if err := f.crowd.Write(token); err != nil {
		return 0, 0, err
	}
	said, err := f.crowd.WaitFor(regexp.MustCompile("^"+token+` (\d+) (\d+)$`), 30*time.Second)
	if err != nil {
		return 0, 0, err
	}
	if samples, err = strconv.Atoi(said[1]); err == nil {
		present, err = strconv.Atoi(said[2])
	}
	return samples, present, err
}

// awaitAll waits until every receiver has had a sample.
func (f *flowing) awaitAll(receivers int) error {
	for try := range 60 {
		_, present, err := f.ask("present" + strconv.Itoa(try))
		if err != nil {
			return err
		}
		if present == receivers {
			return nil
		}
		time.Sleep(time.Second)
	}
	return fmt.Errorf("not all of %d receivers get samples; the crowd said:\n%s", receivers, f.crowd.Tail(5))
}

func bareFlow(start starter, kind string, receivers int) (f *flowing, err error) {
	f = &flowing{}
	var addr string
	if f.relay, addr, err = startRelay(start, kind); err != nil {
		return f, err
	}
	if f.crowd, err = start(nil, kind+"-relay-crowd", addr, strconv.Itoa(receivers)); err != nil {
		return f, err
	}
	sender, err := start(nil, kind+"-relay-sender", addr)
	if err == nil {
		f.others = append(f.others, sender)
	}
	return f, err
}

func productFlow(host *lab.Host, start starter, rung string, receivers int) (*flowing, error) {
	r, end, err := newRig()
	if err != nil {
		return nil, err
	}
	f := &flowing{cleanup: end}
	server, err := r.StartServer(host, "127.0.0.1:8080", "--max-connections-per-address", "1000", "--max-requests-per-address", "1000")
	if err != nil {
		return f, err
	}
	f.relay = server.Program
	device, err := r.StartDevice(host, "board", "--only", "ws,"+rung, "--max-viewers", "1000", "--source", fmt.Sprintf("sim,rate=%d,size=%d", rate, sampleSize))
	if err != nil {
		return f, err
	}
	f.others = append(f.others, device)
	if err := r.AwaitLive(host, "board", 15*time.Second); err != nil {
		return f, err
	}
	f.crowd, err = start(nil, "telepath-crowd", r.URL, strconv.Itoa(receivers), filepath.Clean(r.Token("viewer")), rung)
	return f, err
}
