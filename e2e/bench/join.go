package main

import (
	"fmt"
	"os"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// The link of the joining: viewer on one side, server and device on the other.
const (
	roundTrip = 50 * time.Millisecond
	link      = "delay=25ms"
)

// joinResult are times from the start of the viewer's program, one entry a join, in ms.
type joinResult struct{ first, direct []float64 }

func measureJoining(joins int) (*joinResult, error) {
	dir, err := os.MkdirTemp("", "telepath-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	far, err := rig.NewFarLink(dir, link)
	if err != nil {
		return nil, err
	}
	defer far.Close()
	here, there := far.Here, far.There
	r, err := rig.New(dir)
	if err != nil {
		return nil, err
	}
	server, err := r.StartServer(there, there.Addr.String()+":8080")
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	device, err := r.StartDevice(there, "board", "--source", fmt.Sprintf("sim,rate=%d,size=%d", rate, sampleSize))
	if err != nil {
		return nil, err
	}
	defer device.Kill()
	if err := r.AwaitLive(there, "board", 15*time.Second); err != nil {
		return nil, err
	}
	r.Timed = true
	result := &joinResult{}
	for i := range joins {
		fmt.Printf("joining: %d of %d\n", i+1, joins)
		if err := result.join(r, here); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (j *joinResult) join(r *rig.Rig, here *lab.Host) error {
	start := time.Now()
	v, err := r.View(here, "board")
	if err != nil {
		return err
	}
	defer v.Kill()
	first, err := v.AwaitSample("", 0, 10*time.Second)
	if err != nil {
		return err
	}
	direct, err := v.AwaitSample("udp", 0, 20*time.Second)
	if err != nil {
		return err
	}
	j.first = append(j.first, milliseconds(first.At.Sub(start)))
	j.direct = append(j.direct, milliseconds(direct.At.Sub(start)))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
