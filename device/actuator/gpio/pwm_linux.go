package gpio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pwmFolder is where the kernel has its PWM (its Documentation/driver-api/pwm.rst).
const pwmFolder = "/sys/class/pwm"

const (
	// appearing is how long a channel may take until it is there, and may be written: a rule of udev sees to its group.
	appearing  = 500 * time.Millisecond
	appearStep = 10 * time.Millisecond
)

// pwmOut is a channel of a PWM that goes.
type pwmOut struct {
	duty   *os.File
	period time.Duration
	low    bool
}

// takePWM has a channel go with its first pulse. One that goes already, with this period, is not interrupted.
func takePWM(folder string, o Output, pulse uint64) (output, error) {
	chip, channel, _ := strings.Cut(o.PWM, "/")
	dir, err := findPWM(folder, chip)
	if err != nil {
		return nil, err
	}
	at := filepath.Join(dir, "pwm"+channel)
	if err := export(dir, at, channel); err != nil {
		return nil, fmt.Errorf("%.32q: %w", o.PWM, err)
	}
	p := &pwmOut{period: o.Period, low: o.ActiveLow}
	if err := p.begin(at, pulse); err != nil {
		return nil, fmt.Errorf("%.32q: %w", o.PWM, err)
	}
	return p, nil
}

// findPWM is a chip's folder, by its own name, or its device's, which stays the same where others come before it.
func findPWM(folder, name string) (string, error) {
	chips, err := filepath.Glob(filepath.Join(folder, "pwmchip*"))
	if err != nil {
		return "", err
	}
	var names []string
	for _, dir := range chips {
		device, _ := os.Readlink(filepath.Join(dir, "device")) // one without has no such name
		if name == filepath.Base(dir) || name == filepath.Base(device) {
			return dir, nil
		}
		names = append(names, fmt.Sprintf("%s (%s)", filepath.Base(dir), filepath.Base(device)))
	}
	if len(names) == 0 {
		return "", fmt.Errorf("this machine has no PWM (%s): a board needs it switched on (a Raspberry Pi with dtoverlay=pwm in config.txt), and its driver", folder)
	}
	return "", fmt.Errorf("there is no PWM chip %.32q: there are %s", name, listed(names))
}

// export has a channel's folder appear, if it is not there.
func export(dir, at, channel string) error {
	if _, err := os.Stat(at); err == nil {
		return nil
	}
	count, err := os.ReadFile(filepath.Join(dir, "npwm"))
	if err != nil {
		return err
	}
	have, _ := strconv.Atoi(strings.TrimSpace(string(count)))
	if n, err := strconv.Atoi(channel); err != nil || n >= have {
		return fmt.Errorf("there is no such channel: the chip has %d, from 0 on", have)
	}
	err = write(filepath.Join(dir, "export"), channel)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: the agent's user must be allowed to write there (the group gpio, on a Raspberry Pi)", err)
	case err != nil:
		return fmt.Errorf("it cannot be had; another driver may be using it: %w", err)
	}
	for end := time.Now().Add(appearing); ; time.Sleep(appearStep) {
		err := write(filepath.Join(at, "enable"), "0")
		if err == nil || time.Now().After(end) || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			return nil // what is wrong is said when it begins
		}
	}
}

// begin has it go. A pulse may never be longer than the period, not between two writes either.
func (p *pwmOut) begin(at string, pulse uint64) (err error) {
	period := strconv.FormatInt(p.period.Nanoseconds(), 10)
	if p.duty, err = os.OpenFile(filepath.Join(at, "duty_cycle"), os.O_WRONLY, 0); err != nil {
		return err
	}
	var steps []func() error
	step := func(do func() error) { steps = append(steps, do) }
	told := func(file, text string) { step(func() error { return write(filepath.Join(at, file), text) }) }
	if isNow(at, "polarity", "inversed") {
		told("enable", "0")
		told("polarity", "normal")
	}
	if !isNow(at, "period", period) {
		if is := pulseNow(at); is > uint64(p.period.Nanoseconds()) { // as little shorter as it may be: none at all may be on
			step(func() error { return p.write(uint64(p.period.Nanoseconds())) })
		}
		told("period", period)
	}
	step(func() error { return p.set(pulse) })
	told("enable", "1")
	for _, step := range steps {
		if err := step(); err != nil {
			p.release()
			return err
		}
	}
	return nil
}

// isNow says whether a file has a text; one that cannot be read has none.
func isNow(at, file, text string) bool {
	is, _ := os.ReadFile(filepath.Join(at, file))
	return strings.TrimSpace(string(is)) == text
}

// pulseNow is a channel's pulse, in ns; 0: it has none, or nobody knows.
func pulseNow(at string) uint64 {
	text, _ := os.ReadFile(filepath.Join(at, "duty_cycle"))
	ns, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return ns
}

// set has it on for so many ns of each period.
func (p *pwmOut) set(pulse uint64) error {
	if p.low {
		pulse = uint64(p.period.Nanoseconds()) - pulse
	}
	return p.write(pulse)
}

func (p *pwmOut) write(ns uint64) error {
	_, err := p.duty.WriteAt([]byte(strconv.FormatUint(ns, 10)+"\n"), 0)
	return err
}

// release leaves it going as it is: where it is safe is a pulse, too.
func (p *pwmOut) release() { _ = p.duty.Close() }

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0) }
