package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/device/urgent"
)

// place is where a parameter goes.
var place = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_.-]*\}`)

const (
	maxOutput = 16 << 10 // bytes of what a program prints that are kept
	maxReason = 256      // bytes of a reason
	// killAfter is how long a program that is to end may take before it is killed.
	killAfter = 300 * time.Millisecond
)

// process is a program that is run.
type process struct {
	argv     []string
	env      []string      // beside urgent.Environ
	atOnce   bool          // it ends when it is called off, or when we are killed; else it is told to
	progress func(float64) // nil: nobody asks
}

// run runs a program in a process group of its own until it ends, or ctx does: then all of the group ends. It returns what was printed.
func run(ctx context.Context, p process) (string, error) {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Env = append(urgent.Environ(), p.env...)
	out, errs := &output{progress: p.progress}, &output{}
	cmd.Stdout, cmd.Stderr = out, errs
	ownGroup(cmd, p.atOnce)
	var kill *time.Timer
	cmd.Cancel = func() error {
		if p.atOnce {
			return endGroup(cmd.Process, true)
		}
		kill = time.AfterFunc(killAfter, func() { _ = endGroup(cmd.Process, true) }) // that it is gone already is as well
		return endGroup(cmd.Process, false)
	}
	cmd.WaitDelay = 2 * killAfter
	err := cmd.Start()
	if err == nil {
		if p.atOnce { // also when it has ended, and a child is left that holds its output: that may be what sets something
			defer context.AfterFunc(ctx, func() { _ = endGroup(cmd.Process, true) })()
		}
		err = cmd.Wait()
	}
	if kill != nil {
		kill.Stop()
		_ = endGroup(cmd.Process, true) // what it has left behind
	}
	out.flush()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it has ended well, and may have left something behind
		return out.text(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	}
	if reason := lastLine(errs.text()); reason != "" {
		return "", errors.New(reason)
	}
	return "", fmt.Errorf("%s: %w", p.argv[0], err)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := strings.ToValidUTF8(strings.TrimSpace(lines[len(lines)-1]), "")
	return last[:min(len(last), maxReason)]
}

// output keeps the beginning of what a program prints, and its end; lines of progress are no part of it.
type output struct {
	progress func(float64)
	line     []byte
	kept     bytes.Buffer
}

// Write implements io.Writer. It takes everything, so that no program waits.
func (o *output) Write(b []byte) (int, error) {
	for _, c := range b {
		if len(o.line) < maxOutput {
			o.line = append(o.line, c)
		}
		if c == '\n' {
			o.flush()
		}
	}
	return len(b), nil
}

// flush takes the line that is there.
func (o *output) flush() {
	line := string(o.line)
	o.line = o.line[:0]
	if text, found := strings.CutPrefix(line, "progress "); found && o.progress != nil {
		if p, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
			o.progress(p)
			return
		}
	}
	if o.kept.Len()+len(line) > maxOutput { // the end counts: a reason stands there
		o.kept.Next(o.kept.Len() + len(line) - maxOutput)
	}
	o.kept.WriteString(line)
}

func (o *output) text() string {
	o.flush()
	return o.kept.String()
}
