package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// maxFile bounds what is read of a file, in bytes: more than a journal ever has.
const maxFile = 64 << 20

const suffix = ".jnl"

func fileName(id uint64) string { return fmt.Sprintf("%016x%s", id, suffix) }

func parseName(name string) (id uint64, ok bool) {
	id, err := strconv.ParseUint(strings.TrimSuffix(name, suffix), 16, 64)
	return id, err == nil && name == fileName(id)
}

// load reads the newest file that is whole.
func (j *Journal) load() error {
	entries, err := j.cfg.FS.List()
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e disk.Entry) bool {
		_, ok := parseName(e.Name)
		return !ok
	})
	slices.SortFunc(entries, func(a, b disk.Entry) int { return strings.Compare(b.Name, a.Name) })
	for _, e := range entries {
		id, _ := parseName(e.Name)
		j.nextID = max(j.nextID, id+1)
	}
	for i, e := range entries {
		data, err := read(j.cfg.FS, e)
		if err != nil {
			return err
		}
		records, whole, damaged := parseFile(data)
		if whole {
			j.remember(records, damaged)
			return nil
		}
		if i == len(entries)-1 && len(data) > 0 {
			j.remember(records, true) // it was the very first one that was cut off, or one that was whole once
			return nil
		}
	}
	j.remember(nil, false)
	return nil
}

func read(fs disk.FS, e disk.Entry) ([]byte, error) {
	f, err := fs.Open(e.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, min(e.Size, maxFile))
	if n, err := f.ReadAt(data, 0); n < len(data) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// fenceAfterDamage is how much is left out, where fences may have been lost.
const fenceAfterDamage = 1 << 20

// remember makes the memory of what was read. What was under way when the program ended never runs again.
func (j *Journal) remember(records []Record, damaged bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	noted := j.stop
	if !j.ahead {
		noted = Stop{}
	}
	j.stop, j.forgot, j.loaded = Stop{}, false, true
	for _, r := range records {
		j.takeLocked(r)
	}
	for _, c := range j.calls {
		switch c.State {
		case rpc.Running:
			c.State, c.Reason = rpc.Unknown, "the device's program ended while it ran"
		case rpc.Received:
			c.State, c.Reason = rpc.Expired, "the device's program ended before it ran"
		}
	}
	if noted.Latched {
		j.stop = noted // while the disk could not be read
	}
	if damaged {
		j.cfg.Log.Error("the journal of commands is damaged: the stop counts as latched")
		j.stop = Stop{Latched: true, By: "the journal, which is damaged"}
		j.fence += fenceAfterDamage
		j.forgot = true
	}
}

// put appends records and waits for the disk.
func (j *Journal) put(records []Record) error {
	if !j.loaded {
		if err := j.load(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	if j.file == nil || j.size > j.cfg.Compact+2*j.base {
		if err := j.begin(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	var b []byte
	for _, r := range records {
		var err error
		if b, err = appendRecord(b, r); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	if err := j.append(b); err != nil {
		j.giveUp()
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

func (j *Journal) append(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if _, err := j.file.Write(b); err != nil {
		return err
	}
	j.size += len(b)
	return j.file.Sync()
}

// giveUp leaves a file of which nobody knows what the disk has.
func (j *Journal) giveUp() {
	j.file.Close() // it has failed already
	j.file = nil
}

// begin makes a new file of all that is remembered, and removes the ones before.
func (j *Journal) begin() error {
	b, err := j.snapshot()
	if err != nil {
		return err
	}
	id := j.nextID
	j.nextID++ // a name that was tried is not tried again
	f, err := j.cfg.FS.Create(fileName(id))
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = j.cfg.FS.Sync()
	}
	if err != nil {
		f.Close()
		_ = j.cfg.FS.Remove(fileName(id)) // it is not whole, or an older one says the same
		return err
	}
	if j.file != nil {
		j.file.Close() // all of it is in the new one
	}
	j.file, j.size, j.base = f, len(b), len(b)
	j.mu.Lock()
	j.ahead = false
	j.mu.Unlock()
	j.removeBefore(id)
	return nil
}

// snapshot is the beginning of a file.
func (j *Journal) snapshot() ([]byte, error) {
	j.mu.Lock()
	first, calls := Record{Fence: j.fence, Forgot: j.forgot}, make([]Call, 0, len(j.order))
	stop := j.stop
	for _, id := range j.order {
		calls = append(calls, *j.calls[id])
	}
	j.mu.Unlock() // nobody is to wait for the rest
	first.Stop = &stop
	b, err := appendRecord([]byte(head), first)
	for i := range calls {
		if err == nil {
			b, err = appendRecord(b, Record{Call: &calls[i]})
		}
	}
	if err == nil {
		b, err = appendRecord(b, Record{Whole: true})
	}
	return b, err
}

// removeBefore removes older files. One that stays does no harm.
func (j *Journal) removeBefore(id uint64) {
	entries, err := j.cfg.FS.List()
	if err != nil {
		return
	}
	for _, e := range entries {
		if old, ok := parseName(e.Name); ok && old < id {
			_ = j.cfg.FS.Remove(e.Name) // the newest that is whole counts
		}
	}
}
