package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// onRung is the product on one rung, through its command line. only is the rung, and the one on which a link begins.
func onRung(rung, only string) func(*lane) (*contest, error) {
	return func(l *lane) (*contest, error) {
		server, err := l.StartServer(l.viewer(), l.relay().String())
		if err != nil {
			return nil, err
		}
		l.started = append(l.started, server.Program)
		device, err := l.keep(l.StartDevice(l.device(), "board", "--only", only, "--source", fmt.Sprintf("sim,rate=%d,size=%d,class=live", rate, sampleSize)))
		if err != nil {
			return nil, err
		}
		if err := l.AwaitLive(l.viewer(), "board", firstSample); err != nil {
			return nil, err
		}
		view, err := l.View(l.viewer(), "board", "--only", only)
		if err != nil {
			return nil, err
		}
		l.started = append(l.started, view.Program)
		if _, err := view.AwaitSample(rung, 0, firstSample); err != nil {
			return nil, err
		}
		if rung != "udp" { // the device's link has a rung of its own, and it is the one that crosses
			if _, err := device.WaitFor(regexp.MustCompile(`"linked".*"rung":"`+rung+`"`), firstSample); err != nil {
				return nil, err
			}
		}
		before := links(device)
		return &contest{
			device: device, relay: server.Program, viewer: view.Program,
			arrivals: func() ([]arrival, error) { return arrivalsOf(view) },
			astray: func(w window) (string, error) {
				said, err := astray(view, w, rung)
				if moves := links(device) - before; moves > 0 {
					said = strings.TrimLeft(fmt.Sprintf("%s; the device's link was made or moved %d times", said, moves), "; ")
				}
				return said, err
			},
		}, nil
	}
}

// links is how often a device's link was made or moved.
func links(device *program.Program) int { return strings.Count(device.Output(), `"linked"`) }

// arrivalsOf are the live samples so far, whatever path they came on.
func arrivalsOf(view *rig.Watcher) (got []arrival, err error) {
	events, err := view.Events()
	for _, e := range events {
		if e.Type == "sample" && !e.Retained && !e.Past && !e.Restored {
			got = append(got, arrival{seq: e.Seq, made: madeTime(e), at: e.At})
		}
	}
	return got, err
}

// astray says how much of what was made in a window came on other rungs.
func astray(view *rig.Watcher, w window, rung string) (string, error) {
	events, err := view.Events()
	all, other := 0, 0
	for _, e := range events {
		if e.Type == "sample" && !e.Retained && w.holds(madeTime(e)) {
			all++
			if e.Path != rung {
				other++
			}
		}
	}
	if other == 0 {
		return "", err
	}
	return fmt.Sprintf("%.1f %% on other rungs", 100*float64(other)/float64(all)), err
}

func madeTime(e rig.Event) time.Time { return time.UnixMicro(int64(e.T * 1e6)) }
