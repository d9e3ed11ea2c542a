// Package pins proves that the pins of a board are safe in time, with the built programs and a real kernel's GPIO: in a virtual
// machine (QEMU), since no board is at hand. The kernel is Debian's, with the driver of a USB chip that has four lines
// (hid-mcp2221); the chip itself is a program (package guest), whose book of levels is the judge.
package pins

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Where the guest finds what is for it, and how what it says is known among what its kernel says.
const (
	OrderFile = "/order.json"
	Modules   = "/modules"
	Mark      = "pins: "
)

// Never stands for the time of what was not safe as long as it was watched.
const Never = 3.6e6

// Faults are what is done, in turns, by name.
var Faults = []string{"stop", "hand-gone", "agent-stopped", "agent-killed", "holder-killed", "holder-stopped", "both-stopped", "both-killed"}

// Order is what the guest is told.
type Order struct {
	Times int    // of each fault
	Only  string // of Faults; default: all
	Slow  bool   // it is emulated: what is done is watched for longer; set by Run
	Busy  bool   // each processor is kept by a program that does nothing else; set by Run, where the machine has processors of its own
}

// Said is a line of the guest.
type Said struct {
	Kernel  string  `json:",omitempty"` // it runs
	PulseMS float64 `json:",omitempty"` // the horn sounded for so long
	Fault   string  `json:",omitempty"` // was done,
	SafeMS  float64 `json:",omitempty"` // and so long after it all was safe
	Failed  string  `json:",omitempty"`
	Over    bool    `json:",omitempty"`
}

// Result is what came of it.
type Result struct {
	By     string // what ran the machine: kvm or tcg
	Kernel string
	Pulses []time.Duration
	Safe   map[string][]time.Duration // by fault
}

// processors of the guest.
const processors = "2"

// processor is what the guest sees as one: not all that this machine's has can be handed on.
var processor = map[string]string{"kvm": "host,arch-capabilities=off", "tcg": "max"}

// Run boots a machine, and does what is ordered in it.
func Run(order Order, say func(format string, args ...any)) (*Result, error) {
	if _, err := exec.LookPath(emulator); err != nil {
		return nil, fmt.Errorf("%w: it is in Debian's qemu-system-x86", err)
	}
	kernel, err := fetchKernel()
	if err != nil {
		return nil, err
	}
	dir, remove, err := tidy.Folder("telepath-pins-")
	if err != nil {
		return nil, err
	}
	defer remove()
	image := filepath.Join(dir, "image")
	for _, by := range engines {
		order.Busy, order.Slow = by == "kvm", by == "tcg"
		if err := pack(image, kernel, order); err != nil {
			return nil, err
		}
		var r *Result
		if r, err = boot(by, kernel.image, image, order, say); r.Kernel != "" {
			return r, err
		}
		say("by %s nothing boots: %v", by, err)
	}
	return nil, err
}

const emulator = "qemu-system-x86_64"

// engines run a guest: by the processor itself, or, where it cannot, by a program, which is slow.
var engines = []string{"kvm", "tcg"}

// booting is how long a guest may take until its kernel runs.
const booting = 90 * time.Second

func boot(by, kernel, image string, order Order, say func(format string, args ...any)) (*Result, error) {
	r := &Result{By: by, Safe: map[string][]time.Duration{}}
	runs, over := make(chan struct{}), make(chan error, 1)
	vm, err := program.Start(program.Spec{
		Name: "the machine",
		Args: []string{
			emulator, "-M", "q35", "-accel", by, "-cpu", processor[by], "-smp", processors, "-m", "1024", "-nodefaults", "-no-user-config",
			"-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", kernel, "-initrd", image,
			"-append", "console=ttyS0 quiet panic=-1",
		},
		OnLine: func(line program.Line) {
			if text, found := strings.CutPrefix(line.Text, Mark); found {
				r.take(text, runs, over, say)
			}
		},
	})
	if err != nil {
		return r, err
	}
	defer vm.Kill()
	select {
	case <-runs:
	case <-vm.Ended():
	case <-time.After(booting):
		return &Result{}, errors.New("no kernel runs")
	}
	select {
	case err = <-over:
	case <-vm.Ended():
		err = errors.New("the machine has ended")
		select {
		case err = <-over:
		default:
		}
	case <-time.After(4*time.Minute + time.Duration(order.Times*len(Faults))*10*time.Second):
		err = errors.New("it does not come to an end")
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, vm.Tail(40))
	}
	return r, err
}

func (r *Result) take(text string, runs chan<- struct{}, over chan<- error, say func(format string, args ...any)) {
	var s Said
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		s.Failed = fmt.Sprintf("the guest said %.200s", text)
	}
	switch {
	case s.Failed != "":
		select {
		case over <- errors.New(s.Failed):
		default:
		}
	case s.Over:
		select {
		case over <- nil:
		default:
		}
	case s.Kernel != "":
		r.Kernel = s.Kernel
		close(runs)
		say("Linux %s runs", s.Kernel)
	case s.PulseMS != 0:
		r.Pulses = append(r.Pulses, ms(s.PulseMS))
		say("the horn sounded for %v", ms(s.PulseMS))
	case s.Fault != "":
		r.Safe[s.Fault] = append(r.Safe[s.Fault], ms(s.SafeMS))
		say("%s %d: safe after %v", s.Fault, len(r.Safe[s.Fault]), ms(s.SafeMS))
	}
}

func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
