package main

import (
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// What goes beside the control of a device: streams that are watched, and its history, which whoever comes is sent on the same
// connection, behind everything else and within half of what fills the path (docs/protocol.md, 5.4). A history has an end: there is
// a link that it does not cross in a moment.
const (
	besideLink    = "delay=1ms rate=20mbit queue=128000"
	besideStreams = 10

	historySample = 4000 // bytes
	historyRate   = 200  // Hz, of each stream: 8 MB/s, which disks of boards take
	historyFor    = 8 * time.Second
)

// site is where a device is controlled: from here there.
type site struct {
	here, there *lab.Host
	addr        string // of the server, which is here
	beside      bool   // with streams and history beside it
}

func onLoopback(host *lab.Host) site { return site{here: host, there: host, addr: "127.0.0.1:8080"} }

func acrossLink(far *rig.FarLink) site {
	return site{here: far.Here, there: far.There, addr: far.Here.Addr.String() + ":8080"}
}

// serve starts a server and a device; its sources are added to args. The caller calls end, also where it fails.
func (s site) serve(name string, onLine func(program.Line), args ...string) (r *rig.Rig, server *rig.Server, end func(), err error) {
	r, server, end, err = servedAt(s.here, s.addr)
	if err != nil {
		return nil, nil, func() {}, err
	}
	if s.beside {
		if err := s.fillSpool(r, name); err != nil {
			return nil, nil, end, err
		}
		args = append(args, "--source", fmt.Sprintf("sim,rate=%d,size=%d,streams=%d", rate, sampleSize, besideStreams))
	}
	device, err := r.StartDeviceBehind(s.there, onLine, name, args...)
	if err != nil {
		return nil, nil, end, err
	}
	stop := end
	end = func() {
		device.Kill()
		stop()
	}
	return r, server, end, r.AwaitLive(s.here, name, 15*time.Second)
}

// fillSpool gives a device a past: an earlier run, in which its streams made much more.
func (s site) fillSpool(r *rig.Rig, name string) error {
	device, err := r.StartDevice(s.there, name, "--source", fmt.Sprintf("sim,rate=%d,size=%d,streams=%d", historyRate, historySample, besideStreams))
	if err != nil {
		return err
	}
	time.Sleep(historyFor)
	_, err = device.Stop(5 * time.Second)
	return err
}
