package gpio

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel says and is told of lines: linux/gpio.h, second version, since Linux 5.10. Its structures have no holes, on no
// machine.
type (
	chipInfo struct {
		name, label [32]byte
		lines       uint32
	}
	lineInfo struct {
		name, consumer [32]byte
		offset, attrs  uint32
		flags          uint64
		_              [10]lineAttr
		_              [4]uint32
	}
	lineAttr struct {
		id, _ uint32
		value uint64
	}
	lineConfig struct {
		flags uint64
		attrs uint32
		_     [5]uint32
		attr  [10]struct {
			lineAttr
			mask uint64
		}
	}
	lineRequest struct {
		offsets  [64]uint32
		consumer [32]byte
		config   lineConfig
		lines    uint32
		_        [6]uint32
		fd       int32
	}
	lineValues struct{ bits, mask uint64 }
)

// The calls, as numbers of ioctl(2): their sizes are those of the structures.
const (
	getChipInfo   = 0x8044b401
	getLineInfo   = 0xc100b405
	getLine       = 0xc250b407
	setLineValues = 0xc010b40f
)

const (
	flagActiveLow = 1 << 1
	flagOutput    = 1 << 3
	attrValues    = 2 // id of an attribute: what outputs are set to, at once
)

func control(fd uintptr, call uint, with unsafe.Pointer) error {
	if _, _, err := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(call), uintptr(with)); err != 0 {
		return err
	}
	return nil
}

func supported() error { return nil }

// takePin takes a pin, and sets it.
func takePin(o Output, level uint64) (output, error) {
	if o.PWM != "" {
		return takePWM(pwmFolder, o, level)
	}
	chips, err := findChips()
	if err != nil {
		return nil, err
	}
	c, number, err := locate(chips, o.Pin)
	if err != nil {
		return nil, err
	}
	out, err := takeLine(c.path, number, o.ActiveLow, level)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("%s is %w: %.32q", o.Pin, errBusy, c.lines[number].user)
	}
	if err != nil {
		return nil, fmt.Errorf("%s (%s, line %d): %w", o.Pin, c.path, number, err)
	}
	return out, nil
}

// chipPattern is where chips are.
const chipPattern = "/dev/gpiochip*"

// findChips are all there are, each once: some have a second name.
func findChips() (chips []chip, err error) {
	paths, err := filepath.Glob(chipPattern)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, path := range paths {
		c, failed := readChip(path)
		if failed != nil {
			err = failed
			continue
		}
		if !known[c.name] {
			known[c.name] = true
			chips = append(chips, c)
		}
	}
	switch {
	case len(chips) > 0:
		return chips, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: the agent's user must be in the group of that file (gpio, on a Raspberry Pi)", err)
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("this machine has no GPIO (%s): a board needs its driver, a container --device /dev/gpiochip0", chipPattern)
}

func readChip(path string) (c chip, err error) {
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer f.Close()
	var info chipInfo
	if err := control(f.Fd(), getChipInfo, unsafe.Pointer(&info)); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	c = chip{path: path, name: text(info.name), label: text(info.label)}
	for i := range info.lines {
		about := lineInfo{offset: i}
		if err := control(f.Fd(), getLineInfo, unsafe.Pointer(&about)); err != nil {
			return c, fmt.Errorf("%s: line %d: %w (Linux 5.10 or newer is needed)", path, i, err)
		}
		c.lines = append(c.lines, line{text(about.name), text(about.consumer)})
	}
	return c, nil
}

func text(b [32]byte) string {
	before, _, _ := bytes.Cut(b[:], []byte{0})
	return string(before)
}

// lineOut is a line that is held.
type lineOut int

// takeLine has the line as an output with its first level in one go: it is never anything else between.
func takeLine(path string, number int, activeLow bool, level uint64) (output, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := lineRequest{lines: 1}
	r.offsets[0] = uint32(number)
	copy(r.consumer[:], "telepath")
	r.config.flags, r.config.attrs = flagOutput, 1
	if activeLow {
		r.config.flags |= flagActiveLow
	}
	first := &r.config.attr[0]
	first.id, first.value, first.mask = attrValues, level, 1
	if err := control(f.Fd(), getLine, unsafe.Pointer(&r)); err != nil {
		return nil, err
	}
	return lineOut(r.fd), nil
}

func (l lineOut) set(level uint64) error {
	return control(uintptr(l), setLineValues, unsafe.Pointer(&lineValues{level, 1}))
}

func (l lineOut) release() { _ = unix.Close(int(l)) }
