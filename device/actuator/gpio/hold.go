package gpio

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// output is a pin that this process holds.
type output interface {
	set(level uint64) error
	release()
}

// held is a pin, and what it is for.
type held struct {
	planned
	out output
	at  uint64
}

func (h *held) set(level uint64) error {
	if err := h.out.set(level); err != nil {
		return fmt.Errorf("%q: %.128w", h.Name, err)
	}
	h.at = level
	return nil
}

// holder does what it is told with the pins. Its methods are called one at a time.
type holder struct {
	axes, methods map[string]*held
	pulse         *pulse // under way; nil: none
	say           func(answer)
}

// pulse is a method's line that is on for a while.
type pulse struct {
	id   uint64
	line *held
	over <-chan time.Time
}

const (
	// busyFor is how long a pin may belong to another process at the start: to one that makes it safe just then.
	busyFor   = time.Second
	busyPause = 5 * time.Millisecond
)

// taker takes a pin, and sets it.
type taker func(o Output, level uint64) (output, error)

// take takes all pins, each of them safe from the first. One that is busy is tried again until a time.
func take(p plan, on taker, until time.Time) (*holder, error) {
	h := &holder{axes: map[string]*held{}, methods: map[string]*held{}}
	for _, part := range []struct {
		what, list string
		planned    []planned
		to         map[string]*held
	}{{"axis", "axes", p.Axes, h.axes}, {"method", "methods", p.Methods, h.methods}} {
		for i, one := range part.planned {
			out, err := on(one.Output, one.safe())
			for errors.Is(err, errBusy) && time.Now().Before(until) {
				time.Sleep(busyPause)
				out, err = on(one.Output, one.safe())
			}
			if err != nil {
				h.release()
				return nil, misplaced(part.what, part.list, one.Name, i, err)
			}
			part.to[one.Name] = &held{one, out, one.safe()}
		}
	}
	return h, nil
}

// release gives the pins back.
func (h *holder) release() {
	for _, pins := range []map[string]*held{h.axes, h.methods} {
		for _, pin := range pins {
			pin.out.release()
		}
	}
}

// safe brings everything to where it is safe, as far as it can.
func (h *holder) safe() error {
	var errs []error
	for _, pins := range []map[string]*held{h.axes, h.methods} {
		for _, pin := range pins {
			errs = append(errs, pin.set(pin.safe()))
		}
	}
	if h.pulse != nil {
		h.say(answer{ID: h.pulse.id, Failed: "it was made safe"})
		h.pulse = nil
	}
	return errors.Join(errs...)
}

// obey does what a line says.
func (h *holder) obey(o order) {
	var err error
	a := answer{ID: o.ID}
	switch {
	case o.Safe:
		err = h.safe()
	case o.Set != nil:
		a.Applied, err = h.apply(o.Set)
	case o.Call != "":
		var later bool
		if later, err = h.call(o); later && err == nil {
			return
		}
	case o.Cancel != 0:
		if h.pulse != nil && h.pulse.id == o.Cancel {
			h.endPulse("it was cancelled")
		}
		return
	}
	if err != nil {
		a.Applied, a.Failed = nil, err.Error()
	}
	h.say(a)
}

func (h *holder) apply(set map[string]float64) (map[string]float64, error) {
	applied := map[string]float64{}
	for name, value := range set {
		x := h.axes[name]
		if x == nil {
			return nil, fmt.Errorf("there is no axis %.64q", name)
		}
		if err := x.set(x.level(value)); err != nil {
			return nil, err
		}
		applied[name] = x.value(x.at)
	}
	return applied, nil
}

// call begins a pulse, which is answered later, or switches a line.
func (h *holder) call(o order) (later bool, err error) {
	m := h.methods[o.Call]
	switch {
	case m == nil:
		return false, fmt.Errorf("there is no method %.64q", o.Call)
	case m.For == 0 && o.On:
		return false, m.set(1)
	case m.For == 0:
		return false, m.set(0)
	case h.pulse != nil:
		return false, fmt.Errorf("%q is under way", h.pulse.line.Name)
	}
	h.pulse = &pulse{o.ID, m, time.After(m.For)}
	return true, m.set(1)
}

// endPulse has it off again.
func (h *holder) endPulse(failed string) {
	p := h.pulse
	h.pulse = nil
	if err := p.line.set(0); err != nil {
		failed = err.Error()
	}
	h.say(answer{ID: p.id, Failed: failed})
}

// hold holds the pins until what feeds it ends.
func hold(dir string, p plan, on taker, in io.Reader, out, log io.Writer) error {
	lines := json.NewEncoder(out)
	say := func(a answer) { _ = lines.Encode(a) } // who does not read is about to be gone
	h, err := take(p, on, time.Now().Add(busyFor))
	if err != nil {
		a := answer{Failed: err.Error()}
		var placed *Error
		if errors.As(err, &placed) {
			a.Place = placed.Place
		}
		say(a)
		return nil // it was said where it is read
	}
	defer h.release()
	knocks, err := listenIn(dir)
	if err != nil {
		say(answer{Failed: err.Error()})
		return nil
	}
	defer knocks.Close()
	h.say = say
	say(answer{})
	if err := h.run(read(in), accept(knocks)); err != nil {
		fmt.Fprintln(log, "pins:", err)
		return err
	}
	return nil
}

// run obeys lines until they end, and who connects. Then all is safe.
func (h *holder) run(orders <-chan order, knocks <-chan net.Conn) error {
	for {
		var over <-chan time.Time
		if h.pulse != nil {
			over = h.pulse.over
		}
		select {
		case o, more := <-orders:
			if !more {
				return h.safe()
			}
			h.obey(o)
		case <-over:
			h.endPulse("")
		case c := <-knocks:
			h.admit(c)
		}
	}
}

// knockPatience bounds how long who connects is waited for.
const knockPatience = 10 * time.Millisecond

// admit makes everything safe for who has connected.
func (h *holder) admit(c net.Conn) {
	said := "safe\n"
	if err := h.safe(); err != nil {
		said = err.Error() + "\n"
	}
	_ = c.SetWriteDeadline(time.Now().Add(knockPatience))
	_, _ = io.WriteString(c, said) // who does not hear it asks again
	_ = c.Close()
}

// read are the lines that come, until they end.
func read(in io.Reader) <-chan order {
	orders := make(chan order)
	go func() {
		defer close(orders)
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			var o order
			if json.Unmarshal(lines.Bytes(), &o) == nil {
				orders <- o
			}
		}
	}()
	return orders
}

func accept(l net.Listener) <-chan net.Conn {
	knocks := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			knocks <- c
		}
	}()
	return knocks
}

// socket is the name of the socket in its folder: which is made the working folder, since the path of a socket must be short.
const socket = "pins"

// listenIn takes the place of a predecessor that is gone: this process holds the pins, so there is no other.
func listenIn(dir string) (net.Listener, error) {
	if err := os.Chdir(dir); err != nil {
		return nil, err
	}
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return net.Listen("unix", socket)
}
