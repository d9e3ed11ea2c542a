package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// idleGoal is what an hour of a device of low power may cost that nobody watches, in bytes from the IP header on.
const idleGoal = 100_000

// idler is a device that nobody watches.
type idler struct {
	name string
	tls  bool
	args []string
	goal bool

	packets, bytes int
}

func idlers() []*idler {
	host, numbers, texts := "host", "sim,rate=100,streams=10", "sim,rate=100,streams=5,size=100"
	normal := func(source string) []string { return []string{"--only", "ws", "--source", source} }
	low := func(source, rung string) []string { return []string{"--low-power", "--only", rung, "--source", source} }
	return []*idler{
		{name: "normal, `ws`, source host", args: normal(host)},
		{name: "normal, `ws`, ten numbers at 100 Hz", args: normal(numbers)},
		{name: "low power, `ws`, source host", args: low(host, "ws"), goal: true},
		{name: "low power, `ws`, source host, TLS", args: low(host, "ws"), tls: true, goal: true},
		{name: "low power, `ws`, ten numbers at 100 Hz", args: low(numbers, "ws"), goal: true},
		{name: "low power, `ws`, five texts of 100 B at 100 Hz", args: low(texts, "ws"), goal: true},
		{name: "low power, `sse`, source host", args: low(host, "sse")},
		{name: "low power, `sse`, source host, TLS", args: low(host, "sse"), tls: true},
		{name: "low power, `poll`, source host", args: low(host, "poll")},
	}
}

// idleResult is what they cost in that time.
type idleResult struct {
	length time.Duration
	of     []*idler
}

// settleIdle is until a link is there and all that begins with it is over.
const settleIdle = 10 * time.Second

// measureIdle lets all of them rest at the same time, each on a host of its own. They do not disturb one another: they hardly do anything.
func measureIdle(length time.Duration) (*idleResult, error) {
	result := &idleResult{length: length, of: idlers()}
	names := []string{"srv"}
	for i := range result.of {
		names = append(names, fmt.Sprintf("d%d", i))
	}
	l, err := lab.New(names...)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	w := idleWorld{lab: l}
	defer w.end()
	if err := w.startServers(); err != nil {
		return nil, err
	}
	for i, one := range result.of {
		if err := w.start(l.Host(names[i+1]), one); err != nil {
			return nil, err
		}
	}
	time.Sleep(settleIdle)
	fmt.Printf("idle: %d devices rest for %v\n", len(result.of), length)
	var reading sync.WaitGroup
	errs := make([]error, len(result.of))
	for i, one := range result.of {
		reading.Go(func() {
			host := l.Host(names[i+1])
			if errs[i] = host.CountWire(); errs[i] == nil {
				time.Sleep(length)
				one.packets, one.bytes, errs[i] = host.Wire()
			}
		})
	}
	reading.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return result, nil
}

// idleWorld is what runs meanwhile: a server without and one with TLS, and the devices.
type idleWorld struct {
	lab        *lab.Lab
	plain, tls *rig.Rig
	programs   []*program.Program
	removes    []func() // of folders
}

func (w *idleWorld) startServers() error {
	for _, r := range []**rig.Rig{&w.plain, &w.tls} {
		made, remove, err := newRig()
		if err != nil {
			return err
		}
		*r, w.removes = made, append(w.removes, remove)
	}
	srv := w.lab.Host("srv")
	server, err := w.plain.StartServer(srv, netip.AddrPortFrom(srv.Addr, 8080).String())
	if err != nil {
		return err
	}
	w.programs = append(w.programs, server.Program)
	if server, _, err = w.tls.StartTLSServer(srv, srv.Addr.String(), netip.AddrPortFrom(srv.Addr, 443)); err != nil {
		return err
	}
	w.programs = append(w.programs, server.Program)
	return nil
}

func (w *idleWorld) start(on *lab.Host, one *idler) error {
	r := w.plain
	if one.tls {
		r = w.tls
	}
	p, err := r.StartDevice(on, on.NS, one.args...)
	if err == nil {
		w.programs = append(w.programs, p)
	}
	return err
}

func (w *idleWorld) end() {
	for _, p := range w.programs {
		p.Kill()
	}
	for _, remove := range w.removes {
		remove()
	}
}

func writeIdle(text *bytes.Buffer, r *idleResult) {
	fmt.Fprintf(text, "\n## An idle hour\n\nOf a device that nobody watches: all it sends and gets, IP and TCP headers counted, in %v, and what that is in an hour.\n\n"+
		"| | packets | bytes | kB an hour | goal |\n|---|---|---|---|---|\n", r.length)
	for _, one := range r.of {
		anHour, goal := float64(one.bytes)/r.length.Hours(), ""
		if one.goal {
			goal = fmt.Sprintf("≤ %d: %s", idleGoal/1000, verdict(one.packets > 0 && anHour <= idleGoal))
		}
		fmt.Fprintf(text, "| %s | %d | %d | %.1f | %s |\n", one.name, one.packets, one.bytes, anHour/1000, goal)
	}
}
