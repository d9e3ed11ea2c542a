package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/disk/disktest"
	"github.com/telepath-iot/telepath/peer/rpc"
)

var errBroken = errors.New("input/output error")

func put(t *testing.T, j *Journal, records ...Record) {
	t.Helper()
	if err := j.Write(records...); err != nil {
		t.Fatal(err)
	}
}

func state(id string, s rpc.State) Record { return Record{Call: &Call{ID: id, State: s}} }

func TestWhatWasUnderWayNeverRunsAgain(t *testing.T) {
	fs := disk.OS{Dir: t.TempDir()}
	j := Open(Config{FS: fs})
	put(t, j, state("waits", rpc.Received), state("runs", rpc.Received), state("ended", rpc.Received))
	put(t, j, state("runs", rpc.Running), Record{Call: &Call{ID: "ended", State: rpc.Done, Result: []byte(`{"a": 1}`), TookUS: 7}})
	put(t, j, Record{Fence: 12}, Record{Stop: &Stop{Latched: true, By: "Anna", Since: 5}})
	for range 2 { // the second time from a file that the first one began
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = Open(Config{FS: fs})
		want := map[string]rpc.State{"waits": rpc.Expired, "runs": rpc.Unknown, "ended": rpc.Done}
		for id, s := range want {
			if c, known := j.Call(id); !known || c.State != s {
				t.Errorf("%s is %q, want %q", id, c.State, s)
			}
		}
		if c, _ := j.Call("ended"); string(c.Result) != `{"a": 1}` || c.TookUS != 7 {
			t.Errorf("%+v", c)
		}
		if j.Fence() != 12 || j.Stop() != (Stop{true, "Anna", 5}) || j.Forgot() {
			t.Errorf("fence %d, stop %+v, forgot %v", j.Fence(), j.Stop(), j.Forgot())
		}
		put(t, j, Record{Fence: 1})
	}
	if files, _ := fs.List(); len(files) != 1 {
		t.Errorf("files left: %v", files)
	}
}

// Whatever operation on the disk fails: what was refused does not count, what was taken does, over a power cut too.
func TestEveryNthFails(t *testing.T) {
	for _, op := range []string{"write", "sync", "create", "sync folder", "list", "remove"} {
		for n := 1; n <= 12; n++ {
			t.Run(fmt.Sprintf("%s/%d", op, n), func(t *testing.T) { everyNth(t, op, n) })
		}
	}
}

func everyNth(t *testing.T, op string, n int) {
	mem := disktest.New(uint64(n))
	put(t, Open(Config{FS: mem}), Record{Fence: 1}) // there has been one before
	count := 0
	mem.FailWith(func(what string) error {
		if what == op {
			if count++; count%n == 0 {
				return errBroken
			}
		}
		return nil
	})
	l := ledger{calls: map[string]bool{}}
	j := Open(Config{FS: mem, Compact: 2 << 10})
	for i := range 60 {
		l.write(j, i)
	}
	mem = mem.Cut()
	l.check(t, Open(Config{FS: mem}))
}

// ledger is what a journal has taken.
type ledger struct {
	calls map[string]bool
	fence uint64
	stop  Stop
	vague bool // of the last stop nobody knows whether the disk has it
}

func (l *ledger) write(j *Journal, i int) {
	id := fmt.Sprint("call-", i)
	if j.Write(state(id, rpc.Running)) == nil {
		l.calls[id] = true
	}
	if f := uint64(i + 2); i%3 == 0 && j.Write(Record{Fence: f}) == nil {
		l.fence = f
	}
	if s := (Stop{Latched: i%2 == 0, By: id}); i%5 == 0 {
		if l.vague = j.Write(Record{Stop: &s}) != nil; !l.vague {
			l.stop = s
		}
	}
}

func (l *ledger) check(t *testing.T, j *Journal) {
	t.Helper()
	for id := range l.calls {
		if c, known := j.Call(id); !known || c.State != rpc.Unknown {
			t.Errorf("%s is %q, and was running", id, c.State)
		}
	}
	if j.Fence() < l.fence {
		t.Errorf("fence %d, and %d was taken", j.Fence(), l.fence)
	}
	if j.Stop() != l.stop && !l.vague && !j.Stop().Latched {
		t.Errorf("stop %+v, want %+v", j.Stop(), l.stop)
	}
}

func TestPowerCuts(t *testing.T) {
	for seed := range uint64(300) {
		mem, r, l := disktest.New(seed), rand.New(rand.NewPCG(seed, 9)), ledger{calls: map[string]bool{}}
		for life := range 4 {
			rate := r.IntN(20)
			mem.FailWith(func(string) error {
				if rate > 0 && mem.Rand.IntN(rate+2) == 0 {
					return errBroken
				}
				return nil
			})
			j := Open(Config{FS: mem, Compact: 1 << 10})
			for i := range r.IntN(30) {
				l.write(j, life*100+i)
			}
			mem = mem.Cut()
			l.vague = true // what could not be written may be there, and the next life begins with it
			l.check(t, Open(Config{FS: mem}))
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// What the disk does not take is remembered all the same where it has happened, and gets there when the disk is well.
func TestNote(t *testing.T) {
	mem := disktest.New(1)
	j := Open(Config{FS: mem})
	put(t, j, state("runs", rpc.Running))
	mem.FailWith(func(string) error { return errBroken })
	if err := j.Note(state("runs", rpc.Done), Record{Stop: &Stop{Latched: true}}); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if c, _ := j.Call("runs"); c.State != rpc.Done || !j.Stop().Latched || !j.Behind() {
		t.Errorf("%+v, %+v, behind: %v", c, j.Stop(), j.Behind())
	}
	mem.Heal()
	put(t, j, Record{Fence: 3})
	if j.Behind() {
		t.Error("it is behind a disk that is well")
	}
	again := Open(Config{FS: mem})
	if c, _ := again.Call("runs"); c.State != rpc.Done || !again.Stop().Latched {
		t.Errorf("%+v, %+v", c, again.Stop())
	}
}

// A folder that cannot be read takes nothing, and may hold a stop.
func TestUnreadable(t *testing.T) {
	mem := disktest.New(1)
	put(t, Open(Config{FS: mem}), Record{Fence: 7})
	mem.FailWith(func(string) error { return errBroken })
	j := Open(Config{FS: mem})
	if !j.Stop().Latched || j.Write(Record{Fence: 8}) == nil {
		t.Errorf("%+v", j.Stop())
	}
	mem.Heal()
	put(t, j, Record{Fence: 8})
	if j.Stop().Latched || j.Fence() != 8 {
		t.Errorf("%+v, fence %d", j.Stop(), j.Fence())
	}
}

func TestDamageLatchesTheStop(t *testing.T) {
	mem := disktest.New(1)
	j := Open(Config{FS: mem})
	for i := range 9 {
		put(t, j, state(fmt.Sprint(i), rpc.Running))
	}
	entries, _ := mem.List()
	data, err := read(mem, entries[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := len(head); at < len(data); at += 7 {
		spoilt := append([]byte(nil), data...)
		spoilt[at] ^= 4
		records, _, damaged := parseFile(spoilt)
		tail := at >= len(data)-recordHead-len(`{"call":{"id":"8","state":"running"}}`)
		if damaged == tail || len(records) != 10 {
			t.Errorf("byte %d: %d records, damaged: %v", at, len(records), damaged)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	j := Open(Config{FS: disktest.New(1)})
	j.Remember(Call{ID: "runs", State: rpc.Running})
	for i := range MaxCalls + 100 {
		if err := j.MakeRoom(1000); err != nil {
			t.Fatal(err)
		}
		j.Remember(Call{ID: fmt.Sprint(i), State: rpc.Done, By: 999, Result: make([]byte, 1<<10)})
	}
	if _, known := j.Call("runs"); !known || len(j.order) != MaxCalls || len(j.calls) != MaxCalls || !j.Forgot() {
		t.Errorf("%d and %d calls", len(j.order), len(j.calls))
	}
	sum := 0
	for _, c := range j.calls {
		sum += len(c.Result)
	}
	if sum > maxResults || sum != j.results || sum < maxResults/2 {
		t.Errorf("%d bytes of results, counted %d", sum, j.results)
	}
	for i := range MaxCalls + 100 {
		j.Remember(Call{ID: fmt.Sprint(i), State: rpc.Done, By: 1001})
	}
	if err := j.MakeRoom(1000); !errors.Is(err, ErrFull) {
		t.Errorf("%v: none may be forgotten", err)
	}
}

func FuzzFile(f *testing.F) {
	b, _ := appendRecord([]byte(head), Record{Fence: 3, Stop: &Stop{Latched: true}})
	b, _ = appendRecord(b, Record{Call: &Call{ID: "a", State: rpc.Done, Result: []byte("{}")}})
	b, _ = appendRecord(b, Record{Whole: true})
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Fuzz(func(t *testing.T, data []byte) {
		records, _, _ := parseFile(data)
		again := []byte(head)
		for _, r := range records {
			var err error
			if again, err = appendRecord(again, r); err != nil {
				return // JSON that grows when it is written anew
			}
		}
		second, _, damaged := parseFile(again)
		if damaged || len(second) != len(records) {
			t.Errorf("%s", cmp.Diff(records, second))
		}
	})
}
