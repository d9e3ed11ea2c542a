package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/sensors"
	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/source/sourcetest"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func measureFor(t *testing.T, d time.Duration) (*sourcetest.Recorder, string) {
	t.Helper()
	var r sourcetest.Recorder
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := New(Config{Log: slog.New(slog.NewTextHandler(&log, nil))}).Run(ctx, &r); err != nil {
		t.Fatal(err)
	}
	return &r, log.String()
}

// TestThisMachine measures the machine that runs the test.
func TestThisMachine(t *testing.T) {
	r, log := measureFor(t, 1500*time.Millisecond)
	t.Log(log)
	for _, name := range []string{"cpu", "cpu/0", "load/1", "memory/used", "uptime", "processes"} {
		if len(r.Of(name)) == 0 {
			t.Errorf("no sample of %s", name)
		}
	}
	for _, s := range r.Streams() {
		samples := r.Of(s.Name)
		t.Logf("%-28s %10.3f %s", s.Name, samples[len(samples)-1].Value.Number(), s.Meta.Unit)
		if s.Class != wire.Live || s.Meta.Label == "" || s.Meta.Group == "" || s.Meta.PeriodMS != 1000 || s.Meta.Simulated {
			t.Errorf("described as %+v", s)
		}
		for _, sample := range samples {
			v := sample.Value.Number()
			if math.Abs(float64(sample.T-time.Now().UnixMicro())) > 60e6 {
				t.Errorf("%s: time %d", s.Name, sample.T)
			}
			if s.Meta.Max != nil && (v < *s.Meta.Min || v > *s.Meta.Max) {
				t.Errorf("%s: %v outside of %v to %v", s.Name, v, *s.Meta.Min, *s.Meta.Max)
			}
		}
	}
}

// fakeProc is a /proc of our own, in which the counters are what a test says.
func fakeProc(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOST_PROC", dir)
	t.Setenv("HOST_SYS", filepath.Join(dir, "sys"))
	write(t, dir, files)
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func netDev(received, sent string) string {
	line := func(name, rx, tx string) string {
		return name + ": " + rx + " 1 0 0 0 0 0 0 " + tx + " 1 0 0 0 0 0 0\n"
	}
	return "Inter-|   Receive |  Transmit\n face |bytes packets|bytes packets\n" +
		line("lo", "99999", "99999") + line("eth0", received, sent) + line("veth1", "5", "5")
}

func TestRatesFromCounters(t *testing.T) {
	fakeProc(t, map[string]string{
		"stat":    "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 100 0 100 700 100 0 0 0 0 0\n",
		"net/dev": netDev("1000000", "0"),
	})
	dir := os.Getenv("HOST_PROC")
	synctest.Test(t, func(t *testing.T) {
		go func() {
			time.Sleep(500 * time.Millisecond)
			write(t, dir, map[string]string{
				"stat":    "cpu  140 0 110 740 110 0 0 0 0 0\ncpu0 140 0 110 740 110 0 0 0 0 0\n",
				"net/dev": netDev("1512340", "10000"),
			})
		}()
		r, log := measureFor(t, 1500*time.Millisecond)
		got := map[string]float64{}
		for _, s := range r.Samples() {
			if strings.HasPrefix(s.Stream, "cpu") || strings.HasPrefix(s.Stream, "network") {
				got[s.Stream] = s.Value.Number()
			}
		}
		want := map[string]float64{"cpu": 50, "cpu/0": 50, "network/eth0/received": 512.3, "network/eth0/sent": 10}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		// What this /proc does not have is left out and said once, however often it was tried.
		if n := strings.Count(log, "the memory cannot be measured"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log)
		}
	})
}

// fullSink has room for some streams, with names of others in between.
type fullSink struct {
	sourcetest.Recorder
	room int
}

func (s *fullSink) Declare(stream source.Stream) (source.Writer, error) {
	if len(s.Streams()) == s.room {
		return nil, errors.New("full")
	}
	return s.Recorder.Declare(stream)
}

// Names that come and go leave room for the streams of others, and a stream that is refused ends nothing.
func TestNamesThatComeAndGo(t *testing.T) {
	for _, room := range []int{wire.MaxStreams, 10} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			s, n := New(Config{Log: slog.New(slog.NewTextHandler(&log, nil))}), 0
			s.collectors = []collector{{"all", func(time.Time) ([]measurement, error) {
				n++
				return []measurement{{name: "stays", value: float64(n)}, {name: fmt.Sprint("network/", n)}}, nil
			}}}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Second)
			defer cancel()
			sink := &fullSink{room: room}
			if err := s.Run(ctx, sink); err != nil {
				t.Fatal(err)
			}
			if got, want := len(sink.Streams()), min(room, wire.MaxStreams/2); got != want {
				t.Errorf("%d streams, want %d", got, want)
			}
			if got := len(sink.Of("stays")); got < 499 {
				t.Errorf("what stays was measured %d times", got)
			}
			if lines := strings.Count(log.String(), "left out: there is too much"); lines != 1 {
				t.Errorf("said %d times", lines)
			}
		})
	}
}

func TestRatesOfWhatIsGone(t *testing.T) {
	r, now := rates{}, time.Unix(1, 0)
	r.per("gone", now, 1)
	r.per("here", now.Add(1), 1)
	if r.forget(now.Add(1)); len(r) != 1 {
		t.Errorf("%v", r)
	}
}

func TestRates(t *testing.T) {
	r := rates{}
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for i, c := range []struct {
		second      int
		count, want float64
		ok          bool
	}{{0, 10, 0, false}, {2, 30, 10, true}, {3, 5, 0, false}, {4, 6, 1, true}, {4, 8, 0, false}} {
		if got, ok := r.per("x", at(c.second), c.count); got != c.want || ok != c.ok {
			t.Errorf("step %d: %v %v", i, got, ok)
		}
	}
}

func TestTemperaturesAreRealOrLeftOut(t *testing.T) {
	got := map[string]float64{}
	for _, m := range temperatures([]sensors.TemperatureStat{
		{SensorKey: "coretemp_core_0", Temperature: 41.04, Critical: 105},
		{SensorKey: "nvme_composite", Temperature: 38},
		{SensorKey: "nvme_composite", Temperature: 39},
		{SensorKey: "not_connected", Temperature: 0},
		{SensorKey: "absolute_zero", Temperature: -273.2},
		{SensorKey: "all_ones", Temperature: 255},
	}) {
		got[m.name] = m.value
	}
	want := map[string]float64{"temperature/coretemp_core_0": 41, "temperature/nvme_composite": 38, "temperature/nvme_composite 2": 39}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDisksAndTheirParts(t *testing.T) {
	all := map[string]disk.IOCountersStat{"sda": {}, "sda1": {}, "mmcblk0": {}, "mmcblk0p2": {}, "nvme0n1": {}, "nvme0n1p1": {}, "vdb1": {}}
	for name, part := range map[string]bool{
		"sda": false, "sda1": true, "mmcblk0": false, "mmcblk0p2": true, "nvme0n1": false, "nvme0n1p1": true, "vdb1": false,
	} {
		if partOfAnother(name, all) != part {
			t.Errorf("%s: part of another %v", name, !part)
		}
	}
	for name, virtual := range map[string]bool{"loop0": true, "dm-1": true, "md0": true, "sda": false, "mmcblk0": false, "vda": false} {
		if virtualDisk(name) != virtual {
			t.Errorf("%s: virtual %v", name, !virtual)
		}
	}
	byDevice := mounts([]disk.PartitionStat{
		{Device: "/dev/vda1", Mountpoint: "/var/lib/x"},
		{Device: "/dev/vda1", Mountpoint: "/"},
		{Device: "/dev/loop3", Mountpoint: "/snap"},
		{Device: "tmpfs", Mountpoint: "/tmp"},
	})
	if diff := cmp.Diff(map[string]string{"vda1": "/"}, byDevice); diff != "" {
		t.Error(diff)
	}
}
