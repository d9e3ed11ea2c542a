//go:build unix

package spool

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
)

// The child's environment: the folder, its epoch, and at which operation on
// the disk it ends with SIGKILL, of which half is done.
const (
	childDir   = "TELEPATH_SPOOL_CHILD"
	childEpoch = "TELEPATH_SPOOL_EPOCH"
	childKill  = "TELEPATH_SPOOL_KILL"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) != "" {
		child()
	}
	os.Exit(m.Run())
}

// kills is a real folder of which a program is killed at one of its operations.
type kills struct {
	disk.OS
	at, count int
}

func (k *kills) step() {
	if k.count++; k.count == k.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // it is under way
	}
}

func (k *kills) Create(name string) (disk.File, error) {
	k.step()
	f, err := k.OS.Create(name)
	k.step()
	return &killsFile{f, k}, err
}

func (k *kills) Append(name string) (disk.File, error) {
	k.step()
	f, err := k.OS.Append(name)
	k.step()
	return &killsFile{f, k}, err
}

func (k *kills) Remove(name string) error {
	k.step()
	err := k.OS.Remove(name)
	k.step()
	return err
}

func (k *kills) Sync() error {
	k.step()
	return k.OS.Sync()
}

type killsFile struct {
	disk.File
	kills *kills
}

func (f *killsFile) Write(b []byte) (int, error) {
	if f.kills.count+1 == f.kills.at { // in the middle of it
		_, _ = f.File.Write(b[:len(b)/2])
	}
	f.kills.step()
	n, err := f.File.Write(b)
	f.kills.step()
	return n, err
}

func (f *killsFile) Sync() error {
	f.kills.step()
	err := f.File.Sync()
	f.kills.step()
	return err
}

// child appends as fast as the disk takes it, and says what became durable.
func child() {
	epoch, _ := strconv.Atoi(os.Getenv(childEpoch))
	at, _ := strconv.Atoi(os.Getenv(childKill))
	s, err := Open(Config{FS: &kills{OS: disk.OS{Dir: os.Getenv(childDir)}, at: at}, Bytes: 4 << 20, many: 6, Flush: time.Millisecond, Sync: 3 * time.Millisecond})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	go func() { _ = s.Run(context.Background()) }() // always nil
	r, l, told := rand.New(rand.NewPCG(uint64(epoch), 6)), newLedger(), uint64(0)
	for range 100_000 {
		l.produce(s, Key{uint32(epoch), uint32(1 + r.IntN(3))}, 1+r.IntN(3), 8*(1+r.IntN(40)))
		if durable := s.Durable(); durable != told {
			told = durable
			_, _ = os.Stdout.WriteString("durable " + strconv.FormatUint(durable, 10) + "\n") // the parent is killed as well, then
		}
		time.Sleep(50 * time.Microsecond)
	}
	os.Exit(0)
}

// A program with a spool is killed at seeded moments: all that was called
// durable is there in the next run, nothing twice, and what is missing is declared.
func TestKills(t *testing.T) {
	times := 40
	if n, err := strconv.Atoi(os.Getenv("SPOOL_KILLS")); err == nil {
		times = n
	}
	dir, l, r := t.TempDir(), newLedger(), rand.New(rand.NewPCG(77, 7))
	durable := map[uint32]uint64{}
	for epoch := uint32(1); epoch <= uint32(times); epoch++ {
		durable[epoch] = runChild(t, dir, epoch, 1+r.IntN(80))
		remember(l, epoch, 5*durable[epoch]+5000)
	}
	s, err := Open(Config{FS: disk.OS{Dir: dir}, Bytes: 4 << 20, many: 6})
	if err != nil {
		t.Fatal(err)
	}
	oldest := s.oldestEpoch()
	l.check(t, readAll(t, s, l), func(m made) bool {
		return m.key.Epoch > oldest && m.ticket <= durable[m.key.Epoch]
	})
}

// remember makes the ledger of what the child made, from its seed. How far it got is not known: more than that.
func remember(l *ledger, epoch uint32, batches uint64) {
	r := rand.New(rand.NewPCG(uint64(epoch), 6))
	last := map[uint32]uint64{}
	for ticket := range batches {
		k, count := Key{epoch, uint32(1 + r.IntN(3))}, uint64(1+r.IntN(3))
		r.IntN(40)
		l.streams[nameOf(k.Stream)] = append(l.streams[nameOf(k.Stream)], made{k, last[k.Stream] + 1, last[k.Stream] + count, ticket + 1})
		last[k.Stream] += count
	}
}

// oldestEpoch is that of the oldest segment: some of it may be gone, unless nothing is.
func (s *Spool) oldestEpoch() (epoch uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 || s.segments[0].id == 0 || len(s.segments[0].spans) == 0 {
		return 0
	}
	return s.segments[0].spans[0].Epoch
}

// runChild returns what was durable when it was killed.
func runChild(t *testing.T, dir string, epoch uint32, at int) (durable uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childEpoch+"="+fmt.Sprint(epoch), childKill+"="+fmt.Sprint(at))
	out, err := cmd.Output()
	if err == nil {
		t.Fatalf("epoch %d was not killed at operation %d", epoch, at)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		text, found := strings.CutPrefix(lines.Text(), "durable ")
		n, err := strconv.ParseUint(text, 10, 64)
		if !found || err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		durable = n
	}
	return durable
}
