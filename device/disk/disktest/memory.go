// Package disktest has a folder in memory that fails, and loses what was not
// synced when the power is cut.
package disktest

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/telepath-iot/telepath/device/disk"
)

// Memory is a folder that forgets what was not synced, when the power is cut,
// and fails when it is told to.
type Memory struct {
	Rand *rand.Rand // for who decides what fails, while it is called

	mu     sync.Mutex
	files  map[string]*memoryFile // guarded by mu
	total  int                    // guarded by mu; bytes of the file system, as far as it tells; 0: it does not
	others int                    // guarded by mu; bytes that somebody else has there
	room   int                    // guarded by mu; bytes; 0: no bound
	fail   func(op string) error  // guarded by mu; nil: none fails
	dead   bool                   // guarded by mu; the power is cut
}

type memoryFile struct {
	fs     *Memory
	data   []byte
	synced int  // bytes that survive
	linked bool // the name survives
	spoilt bool // a sync failed: what was not synced by then never will be, whatever later ones say
}

var errDead = errors.New("the power is cut")

// New returns an empty one; what is left to chance comes from seed.
func New(seed uint64) *Memory {
	return &Memory{Rand: rand.New(rand.NewPCG(seed, 1)), files: map[string]*memoryFile{}}
}

// File is a file in memory, for reading.
func File(data []byte) disk.ReadFile { return &memoryFile{fs: New(1), data: data} }

// FailWith has fail called for each operation that changes something: write,
// sync, create, append, sync folder, remove, list or room. nil: none fails.
func (m *Memory) FailWith(fail func(op string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// Bound is how many bytes fit; 0: no bound.
func (m *Memory) Bound(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room = bytes
}

// Tell is what Room says: of a file system of total bytes others have some.
func (m *Memory) Tell(total, others int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total, m.others = total, others
}

// Used is how many bytes all files have.
func (m *Memory) Used() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usedLocked()
}

// Heal makes it well: nothing fails, and there is no bound.
func (m *Memory) Heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail, m.room = nil, 0
}

func (m *Memory) tryLocked(op string) error {
	if m.dead {
		return errDead
	}
	if m.fail != nil {
		return m.fail(op)
	}
	return nil
}

// List implements disk.FS.
func (m *Memory) List() (entries []disk.Entry, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("list"); err != nil {
		return nil, err
	}
	for name, f := range m.files {
		entries = append(entries, disk.Entry{Name: name, Size: int64(len(f.data))})
	}
	return entries, nil
}

// Create implements disk.FS.
func (m *Memory) Create(name string) (disk.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("create"); err != nil {
		return nil, err
	}
	if m.files[name] != nil {
		return nil, fs.ErrExist
	}
	f := &memoryFile{fs: m}
	m.files[name] = f
	return f, nil
}

// Append implements disk.FS.
func (m *Memory) Append(name string) (disk.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("append"); err != nil {
		return nil, err
	}
	if f := m.files[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

// Open implements disk.FS.
func (m *Memory) Open(name string) (disk.ReadFile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.files[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

// Remove implements disk.FS.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("remove"); err != nil {
		return err
	}
	delete(m.files, name)
	return nil
}

// Room implements disk.FS.
func (m *Memory) Room() (free, total int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(m.total - m.usedLocked() - m.others), int64(m.total), m.tryLocked("room")
}

// Sync implements disk.FS.
func (m *Memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("sync folder"); err != nil {
		return err
	}
	for _, f := range m.files {
		f.linked = true
	}
	return nil
}

func (m *Memory) usedLocked() (n int) {
	for _, f := range m.files {
		n += len(f.data)
	}
	return n
}

// Write implements io.Writer.
func (f *memoryFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.tryLocked("write")
	n := len(b)
	if room := f.fs.room - f.fs.usedLocked(); err == nil && f.fs.room > 0 && n > room {
		err, n = syscall.ENOSPC, max(room, 0)
	} else if err != nil {
		n = f.fs.Rand.IntN(n + 1) // some of it may be there all the same
	}
	if errors.Is(err, errDead) {
		n = 0
	}
	f.data = append(f.data, b[:n]...)
	return n, err
}

// Sync implements disk.File.
func (f *memoryFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.tryLocked("sync"); err != nil {
		f.spoilt = true
		return err
	}
	if !f.spoilt {
		f.synced = len(f.data)
	}
	return nil
}

// ReadAt implements io.ReaderAt.
func (f *memoryFile) ReadAt(b []byte, at int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if at >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (f *memoryFile) Close() error { return nil }

// Cut is what is there after the power was cut: of what was not synced some,
// and behind that what the disk held there before.
func (m *Memory) Cut() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	after := &Memory{Rand: m.Rand, files: map[string]*memoryFile{}}
	for name, f := range m.files {
		if !f.linked && m.Rand.IntN(2) == 0 {
			continue
		}
		kept := f.synced + m.Rand.IntN(len(f.data)-f.synced+1)
		data := append([]byte(nil), f.data[:kept]...)
		for range m.Rand.IntN(3) * m.Rand.IntN(40) * (len(f.data) - f.synced) / max(1, len(f.data)-f.synced) {
			data = append(data, byte(m.Rand.IntN(256)))
		}
		after.files[name] = &memoryFile{fs: after, data: data, synced: len(data), linked: true}
	}
	return after
}
