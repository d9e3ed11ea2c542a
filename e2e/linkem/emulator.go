package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// Config is what newEmulator needs to know.
type Config struct {
	NSA, NSB     string
	AddrA, AddrB netip.Prefix
	Dev          string
	MTU          int
	Seed         uint64
	Realtime     bool // run the two forwarding threads before all ordinary ones
}

// Emulator is a pair of namespaces and the two directions between them.
type Emulator struct {
	mu       sync.Mutex  // for commands
	clear    *time.Timer // ends what `for` began; nil: nothing does. Guarded by mu
	a, b     *End
	a2b, b2a *Link
	running  sync.WaitGroup
}

func newEmulator(cfg Config) (_ *Emulator, err error) {
	e := &Emulator{}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if e.a, err = newEnd(cfg.NSA, cfg.Dev, cfg.AddrA, cfg.MTU); err != nil {
		return nil, err
	}
	if e.b, err = newEnd(cfg.NSB, cfg.Dev, cfg.AddrB, cfg.MTU); err != nil {
		return nil, err
	}
	if e.a2b, err = newLink(e.a.fd, e.b.fd, cfg.MTU, cfg.Realtime, cfg.Seed, 1); err != nil {
		return nil, err
	}
	if e.b2a, err = newLink(e.b.fd, e.a.fd, cfg.MTU, cfg.Realtime, cfg.Seed, 2); err != nil {
		return nil, err
	}
	for _, l := range []*Link{e.a2b, e.b2a} {
		e.running.Go(func() {
			if err := l.Run(); err != nil {
				fmt.Fprintln(os.Stderr, "linkem:", err)
			}
		})
	}
	return e, nil
}

// Close stops the link and removes what newEmulator made.
func (e *Emulator) Close() {
	for _, l := range []*Link{e.a2b, e.b2a} {
		if l != nil {
			l.Stop()
		}
	}
	e.running.Wait()
	for _, end := range []*End{e.a, e.b} {
		if end != nil {
			end.Close()
		}
	}
}

// Stats returns both directions' counters.
func (e *Emulator) Stats() map[string]Stats {
	return map[string]Stats{"a2b": e.a2b.Stats(), "b2a": e.b2a.Stats()}
}

// Do carries out one command line and returns the answer.
func (e *Emulator) Do(line string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.doLocked(line)
}

func (e *Emulator) doLocked(line string) (string, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch verb {
	case "for":
		return "", e.forLocked(rest)
	case "both":
		if err := apply(e.a2b, rest); err != nil {
			return "", err
		}
		return "", apply(e.b2a, rest)
	case "a2b":
		return "", apply(e.a2b, rest)
	case "b2a":
		return "", apply(e.b2a, rest)
	case "show":
		return fmt.Sprintf("a %s\nb %s\na2b %+v\nb2a %+v", e.a.Addr, e.b.Addr, e.a2b.Conditions(), e.b2a.Conditions()), nil
	case "stats":
		out, err := json.Marshal(e.Stats())
		return string(out), err
	case "move":
		name, to, _ := strings.Cut(rest, " ")
		end := map[string]*End{"a": e.a, "b": e.b}[name]
		if end == nil {
			return "", fmt.Errorf("want: move a|b ADDRESS/BITS")
		}
		addr, err := netip.ParsePrefix(strings.TrimSpace(to))
		if err != nil {
			return "", err
		}
		return "", end.Move(addr)
	}
	return "", fmt.Errorf("unknown command %q (want both, a2b, b2a, for, move, show, stats or quit)", verb)
}

// forLocked makes both directions what the settings say and nothing else, and perfect again after a while. A later one takes its place.
func (e *Emulator) forLocked(rest string) error {
	while, settings, _ := strings.Cut(strings.TrimSpace(rest), " ")
	d, err := parseDuration(while)
	if err != nil {
		return fmt.Errorf("want: for DURATION SETTINGS: %w", err)
	}
	if _, err := e.doLocked("both clear " + settings); err != nil {
		return err
	}
	if e.clear != nil {
		e.clear.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.clear == timer {
			_, _ = e.doLocked("both clear") // cannot fail
		}
	})
	e.clear = timer
	return nil
}

func apply(l *Link, spec string) error {
	c := l.Conditions()
	if err := c.Apply(spec); err != nil {
		return err
	}
	l.Set(c)
	return nil
}

// serve answers commands from r on w until the end of r (false) or "quit" (true).
func (e *Emulator) serve(r io.Reader, w io.Writer) bool {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch line {
		case "":
			continue
		case "quit":
			fmt.Fprintln(w, "ok")
			return true
		}
		answer, err := e.Do(line)
		if err != nil {
			fmt.Fprintln(w, "error:", strings.ReplaceAll(err.Error(), "\n", "; "))
			continue
		}
		if answer != "" {
			fmt.Fprintln(w, answer)
		}
		fmt.Fprintln(w, "ok")
	}
	return false
}
