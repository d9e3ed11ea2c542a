package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// loopLine is what is said of each: how many ms it took, there and back.
var loopLine = regexp.MustCompile(`^took (\S+)`)

func sayLoop(took time.Duration) { fmt.Printf("took %.4f\n", took.Seconds()*1000) }

// pionPinger sends a ping with its time, and reads what comes back.
func pionPinger() error {
	pc, channel, err := newPion(pionLive)
	if err != nil {
		return err
	}
	born := time.Now()
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		if len(m.Data) >= 8 {
			sayLoop(time.Since(born) - time.Duration(binary.BigEndian.Uint64(m.Data)))
		}
	})
	if err := offerPion(pc, channel); err != nil {
		return err
	}
	payload := make([]byte, 40) // a Drive's size
	for range time.Tick(pingEvery) {
		binary.BigEndian.PutUint64(payload, uint64(time.Since(born)))
		if err := channel.Send(payload); err != nil {
			return err
		}
	}
	return nil
}

// pionEcho sends back what comes.
func pionEcho() error {
	pc, channel, err := newPion(pionLive)
	if err != nil {
		return err
	}
	channel.OnMessage(func(m webrtc.DataChannelMessage) { _ = channel.Send(m.Data) })
	return answerPion(pc)
}

// The axis that is driven, and its stream.
const (
	speedAxis   = 2
	speedStream = "control/rover-speed"
)

// driver is somebody who drives the simulated machine, and says how long each setpoint took until its applied value was there.
type driver struct {
	remote  *peer.Remote
	applied chan applied
	direct  chan bool
	batch   telemetry.Batch
	beside  bool         // streams and history are watched as well: what is set while none of it comes does not count
	past    atomic.Int64 // bytes of the history that came
}

// applied is a value that came back, and when: taken where it comes, as a pong's time is.
type applied struct {
	value float64
	at    time.Time
}

func (d *driver) received(r peer.Received) {
	switch {
	case r.Past:
		d.past.Add(int64(len(r.Payload)))
	case r.Stream.Name != speedStream || r.Retained || telemetry.Decode(&d.batch, r.Payload, r.Header.Count) != nil:
	default:
		for i := r.Skip; i < r.Skip+r.Take; i++ {
			d.applied <- applied{d.batch.Value(i).Number(), time.Now()}
		}
	}
}

func telepathDriver(url, tokenFile string, beside bool) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	d := &driver{applied: make(chan applied, 64), direct: make(chan bool, 64), beside: beside}
	view := peer.ViewConfig{
		Endpoint: peer.Endpoint{URL: url, Token: strings.TrimSpace(string(token))}, Device: "machine", Want: []string{speedStream},
		Events: peer.Events{Path: func(p peer.Path) { d.direct <- p.OK && p.Rung == ladder.UDP }, Batch: d.received},
	}
	if beside {
		view.Want, view.Since = []string{speedStream, "sim/*"}, time.Hour
	}
	if d.remote, err = peer.NewRemote(peer.RemoteConfig{View: view}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.remote.Run(ctx) }()
	for !<-d.direct {
	}
	go func() {
		for range d.direct { // what comes of it shows
		}
	}()
	if lease, err := d.remote.Take(ctx); err != nil || !lease.Mine {
		return fmt.Errorf("take the lease: %q, %w", lease.Reason, err)
	}
	return d.drive(ended)
}

// drive gives a new setpoint at each beat.
func (d *driver) drive(ended <-chan error) error {
	count, given, tripped, past := uint64(time.Now().UnixMilli()), map[float64]time.Time{}, false, int64(0)
	for tick := time.NewTicker(pingEvery); ; {
		select {
		case err := <-ended:
			return err
		case a := <-d.applied:
			if at, ours := given[a.value]; ours {
				sayLoop(a.at.Sub(at))
				delete(given, a.value)
			}
		case <-tick.C:
			driving, came := d.remote.Status().Driving, d.past.Load()
			if driving == rpc.Tripped && tripped {
				continue
			}
			value := 0.0
			if driving == rpc.Obeyed {
				value = 0.1 + float64(count%100)/1000
			}
			if driving == rpc.Obeyed && (!d.beside || came > past) {
				given[value] = time.Now()
			}
			tripped, past = driving == rpc.Tripped, came
			count++
			d.remote.Hand(count, []wire.Target{{Axis: speedAxis, Value: value}})
		}
	}
}
