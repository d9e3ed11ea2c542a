package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/peer/folder"
)

// state is what the status file says, for health checks.
type state struct {
	Linked bool      `json:"linked"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"` // why it is not linked
}

// status writes the state of the link into the device's folder whenever it
// changes. Nothing is written in between, to spare flash memory: whether the
// agent still lives is told by the lock.
type status struct {
	dir     *dir
	log     *slog.Logger
	changed chan state // the newest one only
}

func newStatus(d *dir, log *slog.Logger) *status {
	return &status{dir: d, log: log, changed: make(chan state, 1)}
}

// set is called from one goroutine, and does not wait for the disk.
func (s *status) set(linked bool, err error) {
	next := state{Linked: linked, Since: time.Now()}
	if err != nil {
		next.Reason = err.Error()
	}
	select {
	case <-s.changed: // overtaken before it was written
	default:
	}
	s.changed <- next
}

// run writes until ctx ends, and takes the file away then.
func (s *status) run(ctx context.Context) {
	defer os.Remove(s.dir.file(statusFile))
	written := state{Since: time.Now(), Reason: "not linked yet"}
	s.write(written)
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-s.changed:
			if next.Linked == written.Linked && next.Reason == written.Reason {
				continue
			}
			written = next
			s.write(next)
			if next.Linked && !s.dir.isKnown() {
				s.save(knownFile, nil)
			}
		}
	}
}

func (s *status) write(next state) {
	data, _ := json.Marshal(next) // never fails: a time, a flag and a text
	s.save(statusFile, append(data, '\n'))
}

func (s *status) save(name string, data []byte) {
	if err := s.dir.write(name, data, false); err != nil {
		s.log.Warn("how the agent stands with its server cannot be written", "file", name, "error", err)
	}
}

// Check tells whether the agent that uses a folder runs and is linked to its
// server: since when, or why not.
func Check(path string) (since time.Time, err error) {
	running, err := folder.Held(path)
	if errors.Is(err, fs.ErrNotExist) {
		return since, fmt.Errorf("no agent has ever used the folder %s", path)
	}
	if err != nil {
		return since, fmt.Errorf("folder %s: %w", path, err)
	}
	if !running {
		return since, fmt.Errorf("no agent is running with the folder %s", path)
	}
	return readStatus(filepath.Join(path, statusFile))
}

func readStatus(path string) (since time.Time, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return since, errors.New("the agent is starting or ending")
	}
	var s state
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	switch {
	case err != nil:
		return since, fmt.Errorf("status of the agent: %w", err)
	case !s.Linked:
		return since, fmt.Errorf("the agent has not been linked to its server since %s: %s", s.Since.Format(time.TimeOnly), s.Reason)
	}
	return s.Since, nil
}
