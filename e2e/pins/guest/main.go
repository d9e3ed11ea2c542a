// Command guest is the first and only program of a virtual machine whose kernel has a chip with pins: it is started as its init by
// package pins. It plugs the chip in, runs the built programs, takes away what holds the pins, and says on the console what the
// chip's book says of it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/telepath-iot/telepath/e2e/pins"
	"github.com/telepath-iot/telepath/e2e/slack"
)

func main() {
	for len(os.Args) > 1 && os.Args[1] == idle {
		continue
	}
	slack.None()
	err := run()
	if err != nil {
		say(pins.Said{Failed: err.Error()})
	}
	say(pins.Said{Over: true})
	time.Sleep(100 * time.Millisecond) // the console is slow
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func say(s pins.Said) {
	text, err := json.Marshal(s)
	if err != nil {
		text = []byte(err.Error())
	}
	fmt.Printf("\n%s%s\n", pins.Mark, text)
}

func run() error {
	var order pins.Order
	text, err := os.ReadFile(pins.OrderFile)
	if err == nil {
		err = json.Unmarshal(text, &order)
	}
	if err != nil {
		return err
	}
	if err := prepare(); err != nil {
		return err
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	say(pins.Said{Kernel: strings.TrimSpace(string(release))})
	c, err := plugIn()
	if err != nil {
		return err
	}
	if err := awaitFile("/dev/gpiochip0"); err != nil {
		return err
	}
	w, err := newWorld(c, order)
	if err != nil {
		return err
	}
	return w.run(order)
}

// prepare makes a system of a kernel.
func prepare() error {
	for _, m := range [][3]string{
		{"proc", "/proc", "proc"},
		{"sys", "/sys", "sysfs"},
		{"dev", "/dev", "devtmpfs"},
		{"tmp", "/tmp", "tmpfs"},
	} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m[0], m[1], m[2], 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	modules, err := filepath.Glob(filepath.Join(pins.Modules, "*"))
	if err != nil {
		return err
	}
	slices.Sort(modules) // they are numbered, each behind what it needs
	for _, path := range modules {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil && err != unix.EEXIST {
			return fmt.Errorf("module %s: %w", path, err)
		}
	}
	return awaitFile("/dev/uhid")
}

func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr)
}

// awaitFile waits for one that a driver makes. Some versions of the chip's hear no answer before they are ready: until then they wait
// four seconds each for half a dozen of them.
func awaitFile(path string) error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(path)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
