package kept

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// Disk is one way in which a disk harms who writes on it.
type Disk struct {
	Name  string
	Means string
	harm  func(agent *program.Program, folder string) (mend func() error, err error)
}

// Disks are all there are.
var Disks = []Disk{
	{Name: "full", Means: "the file system (a tmpfs of 32 MiB) is filled to the last byte by somebody else for 5 s", harm: crowd},
	{Name: "fsync fails", Means: "each fsync of the running agent fails for 5 s with an input/output error (injected by strace)", harm: failSyncs},
}

const (
	smallDisk   = "size=32m"
	smallSpool  = "8MiB"
	smallBefore = 1000 // events of fillText before it is harmed: some segments
	harmed      = 5 * time.Second
	// recovers is how long the agent may leave a disk alone that failed, and then takes to write.
	recovers = 35 * time.Second
)

// OnDisk is what came of a disk that was harmed.
type OnDisk struct {
	Disk      Disk
	Recovered time.Duration // from the mending until the log said that all is written again
	Verdict   ledger.Verdict
}

// Judge says what is wrong, if anything is.
func (o *OnDisk) Judge() error {
	if !o.Verdict.OK() {
		return errors.New(o.Verdict.String())
	}
	return nil
}

var (
	tellsOfIt  = regexp.MustCompile("the spool cannot be written, trying again")
	tellsOfEnd = regexp.MustCompile("the spool is written again")
)

// Harm has an agent write on a disk that is harmed for a while, and is well again.
func Harm(d Disk, say Say) (*OnDisk, error) {
	dir, remove, err := tidy.Folder("telepath-kept-")
	if err != nil {
		return nil, err
	}
	defer remove()
	mount := filepath.Join(dir, "disk")
	unmount := func() { _ = syscall.Unmount(mount, 0) } // what uses it is gone by then
	forget, err := tidy.Make(func() error {
		return errors.Join(os.Mkdir(mount, 0o700), syscall.Mount("tmpfs", mount, "tmpfs", 0, smallDisk))
	}, nil, unmount)
	if err != nil {
		return nil, fmt.Errorf("mount a small disk: %w", err)
	}
	defer func() { unmount(); forget() }()
	r, server, err := here(dir)
	if err != nil {
		return nil, err
	}
	defer server.Kill()
	k := &killed{Rig: r}
	agent, err := k.start("--spool", filepath.Join(mount, "spool"), "--spool-bytes", smallSpool)
	if err != nil {
		return nil, err
	}
	defer agent.Kill()
	return k.harm(d, agent, mount, say)
}

func (k *killed) harm(d Disk, agent *program.Program, mount string, say Say) (*OnDisk, error) {
	out := &OnDisk{Disk: d}
	if err := k.produce(agent, smallBefore, fillText, fillPause); err != nil {
		return nil, err
	}
	mend, err := d.harm(agent, mount)
	if err != nil {
		return nil, err
	}
	if err := k.produce(agent, int(harmed/killedEvery), eventSize, killedEvery); err != nil {
		return nil, errors.Join(err, mend())
	}
	if _, err := agent.WaitFor(tellsOfIt, time.Second); err != nil {
		return nil, errors.Join(fmt.Errorf("the log does not tell of it: %w", err), mend())
	}
	if err := mend(); err != nil {
		return nil, err
	}
	mended := time.Now()
	if _, err := agent.WaitFor(tellsOfEnd, recovers); err != nil {
		return nil, fmt.Errorf("the log does not tell of its end: %w", err)
	}
	out.Recovered = time.Since(mended)
	say("%s: written again %v after it was repaired", d.Name, out.Recovered)
	if err := k.produce(agent, 100, eventSize, killedEvery); err != nil {
		return nil, err
	}
	return out, k.read(out)
}

// produce writes the next events.
func (k *killed) produce(agent *program.Program, count, size int, pause time.Duration) error {
	for range count {
		s := ledger.Sent{Run: 1, Number: uint64(len(k.sent) + 1)}
		if err := write(agent, rig.LogStream, "event", s, size); err != nil {
			return err
		}
		k.sent = append(k.sent, s)
		time.Sleep(pause)
	}
	return nil
}

// read has a viewer read what is kept. The oldest may be gone; from the first one that is there on nothing may be missing in silence.
func (k *killed) read(out *OnDisk) error {
	viewer, err := view(func(onOutput func(time.Time, []byte)) (*program.Program, error) {
		return k.StartTelepathRaw(nil, onOutput, "view", device, "--json", "--since", "1h")
	})
	if err != nil {
		return err
	}
	defer viewer.Kill()
	last := k.sent[len(k.sent)-1]
	err = until("the last event", starting, func() bool { return viewer.lacks(map[ledger.Sent]bool{last: true}) == 0 })
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // for the rest, and for duplicates that should not come
	first := last.Number
	viewer.any(rig.LogStream, func(a arrival) bool {
		first = min(first, a.sent.Number)
		return false
	})
	var book ledger.Book
	for _, s := range k.sent[first-1:] {
		book.Send(s)
	}
	err = viewer.enter(&book, rig.LogStream, true)
	out.Verdict = book.Close()
	return err
}

// crowd fills the file system.
func crowd(_ *program.Program, mount string) (mend func() error, err error) {
	path := filepath.Join(mount, "others")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	chunk := make([]byte, 4<<10)
	for err == nil {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return nil, err
	}
	done := make(chan struct{})
	over := make(chan struct{})
	go func() { // what the spool gives up for others is taken at once
		defer close(over)
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
				_, _ = f.Write(chunk)
			}
		}
	}()
	return func() error {
		close(done)
		<-over
		return errors.Join(f.Close(), os.Remove(path))
	}, nil
}

// failSyncs has strace answer in place of the disk.
func failSyncs(agent *program.Program, _ string) (mend func() error, err error) {
	tracer, err := program.Start(program.Spec{
		Name: "strace",
		Args: strings.Fields("strace -f -q -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:error=EIO -p " + strconv.Itoa(agent.PID())),
	})
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := tracer.Stop(5 * time.Second)
		return err
	}, nil
}
