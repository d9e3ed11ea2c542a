package kept

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// StartGoal is from the start of an agent whose spool is full, behind a kill, until it is linked and takes samples.
const StartGoal = 2 * time.Second

const (
	fullBytes = 256 << 20 // the default
	fillText  = 7000      // bytes of an event that fills
	fillPause = time.Millisecond
)

// Full is what came of starting with a full spool.
type Full struct {
	Bytes  int64 // of the spool
	Starts []time.Duration
}

// Judge says what is wrong, if anything is.
func (f *Full) Judge() error {
	for _, start := range f.Starts {
		if most := slack.Of(StartGoal); start > most {
			return fmt.Errorf("a start took %v, want at most %v", start, most)
		}
	}
	if f.Bytes < fullBytes*9/10 {
		return fmt.Errorf("the spool had only %d MiB", f.Bytes>>20)
	}
	return nil
}

// FillAndStart fills a spool of the default size, and kills and starts the agent so often.
func FillAndStart(times int, say Say) (*Full, error) {
	r, end, err := anew()
	if err != nil {
		return nil, err
	}
	defer end()
	k := &killed{Rig: r}
	agent, err := k.start()
	if err != nil {
		return nil, err
	}
	f := &Full{}
	folder := filepath.Join(r.Dir, "device-"+device, "spool")
	err = fill(agent, folder)
	agent.Kill()
	if err != nil {
		return nil, err
	}
	for range times {
		began := time.Now()
		if agent, err = k.start(); err != nil {
			return nil, err
		}
		f.Starts = append(f.Starts, time.Since(began))
		err = write(agent, rig.LogStream, "event", ledger.Sent{Run: 1, Number: 1}, eventSize) // so that the last segment is cut off, again
		time.Sleep(300 * time.Millisecond)
		agent.Kill()
		if err != nil {
			return nil, err
		}
	}
	f.Bytes = size(folder)
	say("%d MiB, started within %v", f.Bytes>>20, f.Starts)
	return f, nil
}

// fill writes events until the folder has as much as it may.
func fill(agent *program.Program, folder string) error {
	for n := uint64(1); n < 2*fullBytes/fillText; n++ {
		if err := write(agent, rig.LogStream, "event", ledger.Sent{Run: 1, Number: n}, fillText); err != nil {
			return err
		}
		if n%10 == 0 {
			time.Sleep(fillPause)
		}
		if n%1000 == 0 && size(folder) > fullBytes*19/20 {
			return nil
		}
	}
	return errors.New("the spool does not become full")
}

// size is what all files of a folder have together, in bytes.
func size(folder string) (sum int64) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
