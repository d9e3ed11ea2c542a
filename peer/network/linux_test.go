package network

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDefaultRoute(t *testing.T) {
	const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	for table, want := range map[string]string{
		"":   "",
		head: "",
		head + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n":                                                                "",
		head + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\nwlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n": "wlan0 0100A8C0",
		head + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n":                                                                "", // half of all addresses
		"\x00\xff eth0 00000000": "",
	} {
		if got := defaultRoute(strings.NewReader(table)); got != want {
			t.Errorf("%q: %q, want %q", table, got, want)
		}
	}
}

// TestWatch changes addresses in a network namespace of its own.
func TestWatch(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for a network namespace")
	}
	here, commands := otherNetwork(t)
	changes := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(t.Context())
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		runtime.LockOSThread() // and the thread ends with the goroutine
		if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		Watch(ctx, func() { changes <- struct{}{} })
	}()
	time.Sleep(calm) // until it listens
	steps := []struct {
		change string
		told   bool
	}{
		{"link set lo up", false},
		{"addr add 10.9.9.9/32 dev lo", true},
		{"addr change 10.9.9.9/32 dev lo valid_lft 1000 preferred_lft 1000", false},
		{"addr add 2001:db8::9/128 dev lo", true},
		{"addr del 10.9.9.9/32 dev lo", true},
	}
	for _, step := range steps {
		commands <- step.change
		select {
		case <-changes:
			if !step.told {
				t.Errorf("%s: a change was told", step.change)
			}
		case <-time.After(4 * calm):
			if step.told {
				t.Errorf("%s: no change was told", step.change)
			}
		}
	}
	close(commands)
	cancel()
	<-watching
}

// TestWhatLeadsSomewhereIsToldAtOnce, and half of a network, or what follows, when it is calm.
func TestWhatLeadsSomewhereIsToldAtOnce(t *testing.T) {
	before, after, both := state{"192.0.2.2/24", "eth0 1"}, state{"192.0.2.3/24", "eth0 1"}, state{"192.0.2.2/24 192.0.2.3/24", "eth0 1"}
	offline, half, island := state{}, state{"192.0.2.3/24", ""}, state{"192.0.2.2/24", ""}
	for name, c := range map[string]struct {
		states      []state // the first one is there already
		early, late []state
	}{
		"another lease":         {states: []state{before, offline, half, after}, early: []state{after}},
		"a cable is unplugged":  {states: []state{before, half, offline}, late: []state{offline}},
		"it comes back":         {states: []state{offline, half, after}, early: []state{half}, late: []state{after}},
		"one after the other":   {states: []state{before, both, after}, early: []state{both}, late: []state{after}},
		"there is never a way":  {states: []state{island, offline, half}, early: []state{half}},
		"the way is gone":       {states: []state{before, half}, late: []state{half}},
		"gone and there again":  {states: []state{before, offline, before}},
		"nothing but a renewal": {states: []state{before, before}},
	} {
		t.Run(name, func(t *testing.T) {
			now, told := c.states[0], []state(nil)
			w := newWatch(now, func() { told = append(told, now) })
			for _, now = range c.states[1:] {
				w.stirred(now)
			}
			if !slices.Equal(told, c.early) {
				t.Errorf("told at once: %v, want %v", told, c.early)
			}
			told = nil
			w.calmed(now)
			if !slices.Equal(told, c.late) {
				t.Errorf("told when calm: %v, want %v", told, c.late)
			}
		})
	}
}

// otherNetwork makes a namespace where what comes through commands is done to it, with ip.
func otherNetwork(t *testing.T) (ns *os.File, commands chan string) {
	t.Helper()
	commands = make(chan string)
	made := make(chan *os.File)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			ns, err = os.Open("/proc/thread-self/ns/net")
		}
		if err != nil {
			t.Error(err)
		}
		made <- ns
		for line := range commands {
			if out, err := exec.Command("/usr/sbin/ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				t.Errorf("ip %s: %v: %s", line, err, out)
			}
		}
	}()
	if <-made == nil {
		t.FailNow()
	}
	t.Cleanup(func() { ns.Close() })
	return ns, commands
}
