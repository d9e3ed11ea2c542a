// Package journal remembers, on a device's disk, what was commanded: which
// calls came and how far they got, the greatest fence of a lease, and whether
// the stop is latched. It is what keeps a command from running twice and a stop
// from ending because the program did.
//
//	NNNNNNNNNNNNNNNN.jnl = head record*
//	head   = "telejnl1"
//	record = length:u32  crc:u32  body            the CRC-32C covers the body, which is JSON: Record
//
// A file begins with all that is remembered, up to a record that says `whole`;
// what changes is appended, and each append is on the disk (fsync) before it
// counts. A file that has grown, or that could not be written, is followed by
// a new one; the newest that is whole is what a start reads. So a write or a
// sync that failed is never followed by another in the same file: what is in
// there, nobody knows.
//
// Only the last append can be torn by a power cut. What is damaged before that
// is damage: then the stop counts as latched, since one may have been lost.
package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// MaxCalls is how many calls are remembered, of which the oldest that cannot come again goes first.
const MaxCalls = 4096

// maxResults bounds the results that are remembered, in bytes: of older calls only the end is.
const maxResults = 1 << 20

// Call is what is remembered of a call.
type Call struct {
	ID     string    `json:"id"`
	Method string    `json:"method,omitempty"`
	Who    string    `json:"who,omitempty"` // for people
	State  rpc.State `json:"state"`
	Code   string    `json:"code,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Result []byte    `json:"result,omitempty"`
	TookUS uint64    `json:"took_us,omitempty"`

	// By is until when the command may come again, on this run's clock (µs); 0: it is of an earlier run, and cannot.
	By uint64 `json:"-"`
}

// Stop is the state of the stop.
type Stop struct {
	Latched bool   `json:"latched"`
	By      string `json:"by,omitempty"`    // who did it, or ended it
	Since   int64  `json:"since,omitempty"` // µs, the device's wall clock
}

// Record is one change. The members that are set count.
type Record struct {
	Call   *Call  `json:"call,omitempty"`
	Fence  uint64 `json:"fence,omitempty"`
	Stop   *Stop  `json:"stop,omitempty"`
	Forgot bool   `json:"forgot,omitempty"` // calls have been forgotten: one that is not known may have run
	Whole  bool   `json:"whole,omitempty"`  // all that is remembered stands before this
}

// ErrFull: all calls that are remembered could still come again.
var ErrFull = errors.New("no room to remember another call: too many may still come again")

// Config says where a journal is.
type Config struct {
	FS  disk.FS      // the folder, its own; required
	Log *slog.Logger // default: nothing is logged
	// Compact is how large a file grows before a new one begins. Default 1 MiB.
	Compact int
}

// Journal is the memory. Its methods are safe for concurrent use; those that write wait for the disk.
type Journal struct {
	cfg Config // set once

	writing sync.Mutex // held while the disk is written
	file    disk.File  // guarded by writing; nil: the next write begins a new one
	nextID  uint64     // guarded by writing
	size    int        // guarded by writing; bytes of file
	base    int        // guarded by writing; bytes of what it began with
	loaded  bool       // guarded by writing

	mu      sync.Mutex
	calls   map[string]*Call // guarded by mu
	order   []string         // guarded by mu; ids, oldest first
	results int              // guarded by mu; bytes
	fence   uint64           // guarded by mu; the greatest ever
	stop    Stop             // guarded by mu
	forgot  bool             // guarded by mu
	ahead   bool             // guarded by mu; what the disk has is not this, since a write has failed
}

// Open reads what is there. A folder that cannot be read is no error: until it
// can, nothing is taken, and the stop counts as latched.
func Open(cfg Config) *Journal {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Compact == 0 {
		cfg.Compact = 1 << 20
	}
	j := &Journal{cfg: cfg, calls: map[string]*Call{}, stop: Stop{Latched: true, By: "the journal, which cannot be read"}}
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.load(); err != nil {
		j.forgot = true // until it can be read
		cfg.Log.Error("the journal of commands cannot be read: no command is accepted until it can", "error", err)
	}
	return j
}

// Call returns what is remembered of a call.
func (j *Journal) Call(id string) (Call, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.calls[id]
	if c == nil {
		return Call{}, false
	}
	return *c, true
}

// Forgot reports whether a call that is not known may have been there once.
func (j *Journal) Forgot() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.forgot
}

// Stop is the stop's state.
func (j *Journal) Stop() Stop {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stop
}

// Fence is the greatest that was ever taken.
func (j *Journal) Fence() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.fence
}

// Behind reports whether the disk does not have what is remembered, or may have what is not. Any write makes up for it.
func (j *Journal) Behind() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ahead
}

// Write puts records on the disk. With an error nothing of them counts. The disk may have them all the same: until another
// write is there, a start would take them for true.
func (j *Journal) Write(records ...Record) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	err := j.put(records)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.ahead = j.ahead || j.loaded
		return err
	}
	for _, r := range records {
		j.takeLocked(r)
	}
	return nil
}

// Note remembers what is so already, and puts it on the disk. With an error the
// disk does not have it, and gets it with the next write that it takes.
func (j *Journal) Note(records ...Record) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	err := j.put(records)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range records {
		j.takeLocked(r)
	}
	j.ahead = j.ahead || err != nil
	return err
}

// Remember keeps a call in memory alone, for the time of this run.
func (j *Journal) Remember(c Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.takeLocked(Record{Call: &c})
}

// MakeRoom forgets the oldest calls that cannot come again, so that another one can be taken. now is this run's clock, in µs.
func (j *Journal) MakeRoom(now uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := 0; len(j.order) >= MaxCalls; i++ {
		if i == len(j.order) {
			return ErrFull
		}
		c := j.calls[j.order[i]]
		if c.State.Ended() && c.By < now {
			j.forgetLocked(i)
			i--
		}
	}
	return nil
}

func (j *Journal) forgetLocked(i int) {
	id := j.order[i]
	j.results -= len(j.calls[id].Result)
	delete(j.calls, id)
	j.order = append(j.order[:i], j.order[i+1:]...)
	j.forgot = true
}

// takeLocked makes a record part of the memory.
func (j *Journal) takeLocked(r Record) {
	if r.Call != nil {
		c := *r.Call
		if old := j.calls[c.ID]; old != nil {
			j.results -= len(old.Result)
		} else {
			j.order = append(j.order, c.ID)
		}
		j.calls[c.ID] = &c
		j.results += len(c.Result)
		j.dropResultsLocked()
	}
	if r.Stop != nil {
		j.stop = *r.Stop
	}
	j.fence = max(j.fence, r.Fence)
	j.forgot = j.forgot || r.Forgot
}

func (j *Journal) dropResultsLocked() {
	for _, id := range j.order {
		if j.results <= maxResults {
			return
		}
		if c := j.calls[id]; len(c.Result) > 0 {
			j.results -= len(c.Result)
			c.Result, c.Reason = nil, "its result is no longer kept"
		}
	}
}

// Close gives the file free.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
