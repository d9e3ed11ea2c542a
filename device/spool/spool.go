package spool

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Config says where a spool is and how much it keeps.
type Config struct {
	FS     disk.FS       // where; required
	Bytes  int64         // default 256 MiB: all files together
	Age    time.Duration // default 24 h: what was made earlier goes, a segment at a time
	Flush  time.Duration // default 100 ms: what was made is written by then, and survives the end of the program
	Sync   time.Duration // default 1 s: what was written is durable by then, and survives a power cut
	Memory int           // default 4 MiB: what waits for the disk, in bytes; more is refused
	Refuse bool          // what finds no room is refused; default: the oldest makes room
	Log    *slog.Logger  // default: nothing is logged

	wall   func() time.Time     // of tests; default: the machine's clock, which may be wrong, and be set
	asleep func() time.Duration // of tests; default: for how long the machine has been suspended since it was started
	many   int                  // of tests; default: manySegments
}

// Defaults of Config, for who tells people.
const (
	DefaultBytes = 256 << 20
	DefaultAge   = 24 * time.Hour
)

const (
	defaultFlush  = 100 * time.Millisecond
	defaultSync   = time.Second
	defaultMemory = 4 << 20

	// minBytes is the least that is of use: some segments.
	minBytes = 1 << 20
	// A segment is a 32nd of the whole, so that little goes when the oldest
	// goes, and at most this many bytes: it is read through when it was cut off.
	maxSegment = 8 << 20
	parts      = 32
	// manySegments is how many files there are before small ones are made one. Each
	// start of the program makes one, and so does a clock that is set. A start reads
	// some hundred bytes of each. It is more than there are of those that are not merged.
	manySegments = 192
	// maxSegments bounds the files where they cannot be merged, on a disk that fails.
	maxSegments = 512
)

// ErrBytes: a bound below which a spool makes no sense.
var ErrBytes = errors.New("spool: less than 1 MiB keeps nothing worth the trouble")

// Why a batch is not kept.
var (
	// ErrFull: the disk takes nothing, or too slowly, and memory is used up.
	ErrFull = errors.New("spool: the disk is behind")
	// ErrNoRoom: all the room that a spool with Refuse may use is taken by what is not too old yet.
	ErrNoRoom = errors.New("spool: it is full, and refuses what is new")
	// ErrEnded: Run has ended, and nobody would write it.
	ErrEnded = errors.New("spool: it has ended")
)

// Spool is a device's log on disk. Its methods may be called from any goroutine.
type Spool struct {
	cfg     Config // set once
	born    time.Time
	rested  time.Duration // for how long the machine had been suspended by then
	slept   atomic.Int64  // and since then, in ns, as far as it was noticed
	kicked  chan struct{}
	segment int64 // bytes of one

	// Owned by Run.
	loaded  bool
	nextID  uint64
	file    disk.File // of current
	current *segment
	isNew   bool          // current's file, to the folder
	cut     []*segment    // of earlier runs, and without a footer
	litter  []litter      // files that are to go before others do, in this order
	mergeAt time.Duration // not before, since it failed
	begun   bool          // a segment was, and small ones were not merged since
	undone  []entry       // taken from waiting and not durable yet
	written int           // how many of undone are in current
	syncAt  time.Duration
	buf     []byte
	outage  outage
	finals  map[Key]final // of this run: how far each stream got

	mu       sync.Mutex
	segments []*segment                   // guarded by mu, with what is in them; oldest first
	waiting  []entry                      // guarded by mu; made, not taken by Run yet
	flushAt  time.Duration                // guarded by mu; when waiting is to be written
	held     int                          // guarded by mu; bytes in waiting and undone
	inFile   int                          // guarded by mu; of held, what is in current's file and not durable yet
	refused  map[Key]entry                // guarded by mu; gaps that are not declared yet
	shared   map[Description]*Description // guarded by mu; one for all segments
	run      uint32                       // guarded by mu; epoch of the last batch that was made: that of this run of the program
	ended    bool                         // guarded by mu; by Run
	ticket   uint64                       // guarded by mu; of the last batch that was taken
	inLog    uint64                       // guarded by mu; up to this ticket everything can be read
	durable  uint64                       // guarded by mu; up to this ticket
	failing  bool                         // guarded by mu; the disk, since it took something last
	ahead    time.Duration                // guarded by mu; what the machine's clock showed when the spool's was 0, as it is set now
	stats    Stats                        // guarded by mu
}

// Stats counts since the start.
type Stats struct {
	Bytes    int64  // on the disk now
	Segments int    // files now
	Batches  uint64 // taken
	Refused  uint64 // samples that found no room, in memory or with Refuse on the disk: reason queue-full
	Failures uint64 // of the disk
	Removed  uint64 // segments that went, for their age, the bounds or a full disk
}

// entry is something that is to be written.
type entry struct {
	Key
	*Description
	at          uint64 // µs, on the machine's clock
	turned      bool   // that was set since the entry before
	first, last uint64
	data        []byte // of a batch; nil: a gap, from first to last
	ticket      uint64
}

// entryCost is what an entry costs beside its bytes.
const entryCost = 128

func (e entry) size() int { return len(e.data) + entryCost }

func (e entry) gap() wire.Gap {
	return wire.Gap{Stream: e.Stream, Epoch: e.Epoch, From: e.first, To: e.last, Reason: wire.GapSpool}
}

// Open reads what there is: the footers of all segments. A folder that cannot
// be read or made is no error: Run tries again.
func Open(cfg Config) (*Spool, error) {
	if cfg.FS == nil {
		return nil, errors.New("spool: FS is missing")
	}
	cfg.complete()
	if cfg.Bytes < minBytes {
		return nil, ErrBytes
	}
	s := &Spool{
		cfg: cfg, born: time.Now(), kicked: make(chan struct{}, 1), segment: min(maxSegment, cfg.Bytes/parts),
		finals: map[Key]final{}, refused: map[Key]entry{}, shared: map[Description]*Description{},
		outage: outage{log: cfg.Log},
	}
	s.rested = cfg.asleep()
	s.ahead = s.machine()
	if err := s.load(); err != nil {
		s.failed(s.now(), err)
	}
	return s, nil
}

func (c *Config) complete() {
	if c.Bytes == 0 {
		c.Bytes = DefaultBytes
	}
	if c.Age == 0 {
		c.Age = DefaultAge
	}
	if c.Flush == 0 {
		c.Flush = defaultFlush
	}
	if c.Sync == 0 {
		c.Sync = defaultSync
	}
	if c.Memory == 0 {
		c.Memory = defaultMemory
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.many == 0 {
		c.many = manySegments
	}
	if c.asleep == nil {
		c.asleep = asleep
	}
	if c.wall == nil {
		c.wall = time.Now
	}
}

// shareLocked keeps one copy of equal descriptions.
func (s *Spool) shareLocked(d Description) *Description {
	known := s.shared[d]
	if known == nil {
		known = &d
		s.shared[d] = known
	}
	return known
}

func (s *Spool) shareSpansLocked(seg *segment) {
	for i := range seg.spans {
		seg.spans[i].Description = s.shareLocked(*seg.spans[i].Description)
	}
}

// Stats returns the counts so far.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Segments, out.Bytes = len(s.segments), s.usedLocked()
	return out
}

// usedLocked is how many bytes are on the disk.
func (s *Spool) usedLocked() (bytes int64) {
	for _, seg := range s.segments {
		bytes += seg.size
	}
	return bytes
}
