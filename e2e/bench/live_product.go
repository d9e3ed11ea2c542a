package main

import (
	"fmt"
	"math"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// product is a device on one side of a link, server and viewer on the other, and the samples on `udp`. The viewer is
// `telepath view` or a page in Chromium, which says when its Worker handed it a sample.
type product struct {
	programs []*program.Program
	view     *rig.Watcher
}

// startProduct returns when the first sample has come over a data channel.
func startProduct(r *rig.Rig, far *rig.FarLink, c condition) (_ *product, err error) {
	p, chromium, sends := &product{}, c.chromium != "", c.sends()
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	server, err := r.StartServer(far.Here, far.Here.Addr.String()+":8080")
	if err != nil {
		return nil, err
	}
	p.programs = append(p.programs, server.Program)
	device, err := r.StartDevice(far.There, "board", "--only", "ws,udp", "--source", fmt.Sprintf("sim,rate=%d,size=%d,class=live", sends.rate, sends.size))
	if err != nil {
		return nil, err
	}
	p.programs = append(p.programs, device)
	if err := r.AwaitLive(far.Here, "board", 15*time.Second); err != nil {
		return nil, err
	}
	if chromium {
		p.view, err = r.BrowseReady(far.Here, server.LoginURL, "board")
	} else {
		p.view, err = r.View(far.Here, "board", "--only", "ws,udp")
	}
	if p.view != nil {
		p.programs = append(p.programs, p.view.Program)
	}
	if err != nil {
		return nil, err
	}
	if _, err = p.view.AwaitSample("udp", 0, 30*time.Second); err == nil && chromium {
		err = p.awaitPast()
	}
	return p, err
}

// awaitPast waits until the page's charts are filled: what the device kept crosses the link, too. What Live lost may
// be fetched all the time: that is part of what is measured.
func (p *product) awaitPast() error {
	const calm, most = 2 * time.Second, time.Minute
	for end := time.Now().Add(most); time.Now().Before(end); {
		from := p.view.Mark()
		time.Sleep(calm)
		events, err := p.view.Events()
		if err != nil {
			return err
		}
		past := 0
		for _, e := range events[from:] {
			if e.Past {
				past++
			}
		}
		if past < int(rate*calm/time.Second)/10 && filled(events) {
			return nil
		}
	}
	return fmt.Errorf("what the device kept still comes after %v", most)
}

// filled reports whether what was made before the first live sample is there, but for a second: where a packet that TCP lost
// holds up the rest, nothing comes for a while, and not because there is nothing.
func filled(events []rig.Event) bool {
	first, past := uint64(math.MaxUint64), map[uint64]bool{}
	for _, e := range events {
		switch {
		case e.Type != "sample" || e.Retained:
		case e.Past:
			past[e.Seq] = true
		case !e.Restored:
			first = min(first, e.Seq)
		}
	}
	missing := 0
	for seq := uint64(1); first != math.MaxUint64 && seq < first; seq++ {
		if !past[seq] {
			missing++
		}
	}
	return missing < rate
}

func (p *product) arrivals() ([]arrival, error) { return arrivalsOf(p.view) }

func (p *product) close() {
	for _, running := range p.programs {
		running.Kill()
	}
}

var (
	_ subject = (*product)(nil)
	_ subject = (*datagrams)(nil)
)
