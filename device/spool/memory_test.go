package spool

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"syscall"
)

// memory is a folder that forgets what was not synced, when the power is cut,
// and fails when it is told to.
type memory struct {
	mu     sync.Mutex
	rand   *rand.Rand
	files  map[string]*memoryFile
	total  int                   // bytes of the file system, as far as it tells; 0: it does not
	others int                   // bytes that are not the spool's
	room   int                   // bytes; 0: no bound
	fail   func(op string) error // called for each operation that changes something; nil: none fails
	dead   bool                  // the power is cut
}

type memoryFile struct {
	fs     *memory
	data   []byte
	synced int  // bytes that survive
	linked bool // the name survives
	spoilt bool // a sync failed: what was not synced by then never will be, whatever later ones say
}

var errDead = errors.New("the power is cut")

func newMemory(seed uint64) *memory {
	return &memory{rand: rand.New(rand.NewPCG(seed, 1)), files: map[string]*memoryFile{}}
}

func (m *memory) tryLocked(op string) error {
	if m.dead {
		return errDead
	}
	if m.fail != nil {
		return m.fail(op)
	}
	return nil
}

func (m *memory) List() (entries []Entry, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("list"); err != nil {
		return nil, err
	}
	for name, f := range m.files {
		entries = append(entries, Entry{name, int64(len(f.data))})
	}
	return entries, nil
}

func (m *memory) Create(name string) (File, error) {
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

func (m *memory) Open(name string) (ReadFile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.files[name]; f != nil {
		return f, nil
	}
	return nil, fs.ErrNotExist
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.tryLocked("remove"); err != nil {
		return err
	}
	delete(m.files, name)
	return nil
}

func (m *memory) Room() (free, total int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(m.total - m.usedLocked() - m.others), int64(m.total), m.tryLocked("room")
}

func (m *memory) Sync() error {
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

func (m *memory) usedLocked() (n int) {
	for _, f := range m.files {
		n += len(f.data)
	}
	return n
}

func (f *memoryFile) Write(b []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	err := f.fs.tryLocked("write")
	n := len(b)
	if room := f.fs.room - f.fs.usedLocked(); err == nil && f.fs.room > 0 && n > room {
		err, n = syscall.ENOSPC, max(room, 0)
	} else if err != nil {
		n = f.fs.rand.IntN(n + 1) // some of it may be there all the same
	}
	if errors.Is(err, errDead) {
		n = 0
	}
	f.data = append(f.data, b[:n]...)
	return n, err
}

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

func (f *memoryFile) Close() error { return nil }

// cut is what is there after the power was cut: of what was not synced some,
// and behind that what the disk held there before.
func (m *memory) cut() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	after := &memory{rand: m.rand, files: map[string]*memoryFile{}}
	for name, f := range m.files {
		if !f.linked && m.rand.IntN(2) == 0 {
			continue
		}
		kept := f.synced + m.rand.IntN(len(f.data)-f.synced+1)
		data := append([]byte(nil), f.data[:kept]...)
		for range m.rand.IntN(3) * m.rand.IntN(40) * (len(f.data) - f.synced) / max(1, len(f.data)-f.synced) {
			data = append(data, byte(m.rand.IntN(256)))
		}
		after.files[name] = &memoryFile{fs: after, data: data, synced: len(data), linked: true}
	}
	return after
}
