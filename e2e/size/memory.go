package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// How memory is measured.
const (
	further  = 5                // viewers beyond the first
	settling = 20 * time.Second // with each number of viewers, before memory is read
	mib      = 1 << 20
)

func checkMemory() error {
	dir, remove, err := tidy.Folder("telepath-size-")
	if err != nil {
		return err
	}
	defer remove()
	r, err := rig.New(dir)
	if err != nil {
		return err
	}
	addr, err := rig.FreeAddress()
	if err != nil {
		return err
	}
	server, err := r.StartServer(nil, addr)
	if err != nil {
		return err
	}
	defer server.Kill()
	device, err := r.StartDevice(nil, "board", "--source", "sim,rate=100,size=100")
	if err != nil {
		return err
	}
	defer device.Kill()
	if err := r.AwaitLive(nil, "board", 15*time.Second); err != nil {
		return err
	}
	return measureMemory(r, device.PID())
}

func measureMemory(r *rig.Rig, pid int) error {
	var audience audience
	defer func() { audience.leave() }()
	one, err := audience.join(r, pid, 1)
	if err != nil {
		return err
	}
	fmt.Printf("resident memory of the agent, 100 samples of 100 bytes a second, viewers on a direct path\n")
	fmt.Printf("  %-22s %6.2f MiB%s\n", "1 viewer", float64(one)/mib, budget(one, maxRSS, mib, "MiB"))
	many, err := audience.join(r, pid, further)
	if err != nil {
		return err
	}
	each := (many - one) / further
	fmt.Printf("  %-22s %6.2f MiB%s\n", "each further viewer", float64(each)/mib, budget(each, maxFurther, mib, "MiB"))
	var over error
	if one > maxRSS {
		over = fmt.Errorf("%d bytes resident with one viewer, the budget is %d", one, maxRSS)
	}
	if each > maxFurther {
		over = errors.Join(over, fmt.Errorf("%d bytes for each further viewer, the budget is %d", each, maxFurther))
	}
	return over
}

// audience are the viewers so far.
type audience []*rig.Watcher

func (a audience) leave() {
	for _, v := range a {
		v.Kill()
	}
}

// join adds viewers, waits until each is on the direct path and memory has settled, and reads the agent's.
func (a *audience) join(r *rig.Rig, pid, count int) (int64, error) {
	for range count {
		v, err := r.View(nil, "board")
		if err != nil {
			return 0, err
		}
		*a = append(*a, v)
		if _, err := v.AwaitSample("udp", 0, 30*time.Second); err != nil {
			return 0, err
		}
	}
	time.Sleep(settling)
	return resident(pid)
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	found := residentLine.FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("no VmRSS of process %d", pid)
	}
	kib, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kib << 10, err
}
