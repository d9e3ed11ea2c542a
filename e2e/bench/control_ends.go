package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strings"
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

// telepathDriver drives the simulated machine, and says how long each setpoint took until its applied value was there.
func telepathDriver(url, tokenFile string) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	applied, direct, batch := make(chan float64, 64), make(chan bool, 64), telemetry.Batch{}
	remote, err := peer.NewRemote(peer.RemoteConfig{View: peer.ViewConfig{
		Endpoint: peer.Endpoint{URL: url, Token: strings.TrimSpace(string(token))}, Device: "machine", Want: []string{speedStream},
		Events: peer.Events{
			Path: func(p peer.Path) { direct <- p.OK && p.Rung == ladder.UDP },
			Batch: func(r peer.Received) {
				if !r.Retained && telemetry.Decode(&batch, r.Payload, r.Header.Count) == nil {
					for i := r.Skip; i < r.Skip+r.Take; i++ {
						applied <- batch.Value(i).Number()
					}
				}
			},
		},
	}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- remote.Run(ctx) }()
	for !<-direct {
	}
	go func() {
		for range direct { // what comes of it shows
		}
	}()
	if lease, err := remote.Take(ctx); err != nil || !lease.Mine {
		return fmt.Errorf("take the lease: %q, %w", lease.Reason, err)
	}
	return driveLoops(remote, applied, ended)
}

// driveLoops gives a new setpoint at each beat.
func driveLoops(remote *peer.Remote, applied <-chan float64, ended <-chan error) error {
	count, given, tripped := uint64(time.Now().UnixMilli()), map[float64]time.Time{}, false
	for tick := time.NewTicker(pingEvery); ; {
		select {
		case err := <-ended:
			return err
		case v := <-applied:
			if at, ours := given[v]; ours {
				sayLoop(time.Since(at))
				delete(given, v)
			}
		case <-tick.C:
			driving := remote.Status().Driving
			if driving == rpc.Tripped && tripped {
				continue
			}
			value := 0.0
			if driving == rpc.Obeyed {
				value = 0.1 + float64(count%100)/1000
				given[value] = time.Now()
			}
			tripped = driving == rpc.Tripped
			count++
			remote.Hand(count, []wire.Target{{Axis: speedAxis, Value: value}})
		}
	}
}
