package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/spool"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Spool says what the agent keeps on disk of what it publishes, for who was
// not there: package device/spool.
type Spool struct {
	Off   bool          // nothing is kept
	Dir   string        // a folder of its own, made if it is not there; default: "spool" in the agent's
	Bytes int64         // default 256 MiB, at least 1 MiB
	Age   time.Duration // default 24 h
	Share int           // how much of what a path carries what was kept may take, beside what is live, in %, 1 … 100; default 50

	// Durable are the streams, by globs of their names, that are declared durable whatever their source says: of class Event, and
	// what the spool has no room for is refused, by Put, instead of the oldest making room. Default: those that are declared so.
	Durable []string
	// DurableBytes is their room, beside Bytes. Default 64 MiB, at least 1 MiB.
	DurableBytes int64
}

// DefaultDurableBytes is the room of durable streams.
const DefaultDurableBytes = 64 << 20

// keeper keeps what the Host publishes in a spool. Its methods do nothing where there is none.
type keeper struct {
	spool   *spool.Spool // set once
	durable *spool.Spool // set once; that refuses
	globs   []string     // set once
	dirs    []*dir

	mu      sync.Mutex
	streams map[uint32]spool.Description // guarded by mu; as they were told last
	refuse  map[string]bool              // guarded by mu; the streams that are durable, by name
}

// openKeeper returns nil if nothing is to be kept.
func openKeeper(c Config) (*keeper, error) {
	if c.Spool.Off {
		return nil, nil
	}
	path := c.Spool.Dir
	if path == "" {
		path = filepath.Join(c.Dir, "spool")
	}
	k := &keeper{globs: c.Spool.Durable, streams: map[uint32]spool.Description{}, refuse: map[string]bool{}}
	var err error
	if k.spool, err = k.open(path, spool.Config{Bytes: c.Spool.Bytes, Age: c.Spool.Age, Log: c.Log}); err != nil {
		return nil, err
	}
	bytes := cmp.Or(c.Spool.DurableBytes, DefaultDurableBytes)
	k.durable, err = k.open(filepath.Join(path, durableDir), spool.Config{Bytes: bytes, Age: c.Spool.Age, Log: c.Log, Refuse: true})
	return k, err
}

// durableDir is the folder of what is durable, in that of the spool.
const durableDir = "durable"

// open opens a spool in a folder of its own; what is open already is closed again if it cannot.
func (k *keeper) open(path string, cfg spool.Config) (*spool.Spool, error) {
	folder, err := openDir(path)
	if err != nil {
		k.close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	k.dirs = append(k.dirs, folder)
	cfg.FS = disk.OS{Dir: path}
	s, err := spool.Open(cfg)
	if err != nil {
		k.close()
	}
	return s, err
}

// isDurable says whether a stream is: it says so itself, or one of the globs does.
func (k *keeper) isDurable(s source.Stream) bool {
	return s.Durable || k != nil && len(k.globs) > 0 && signal.Wanted(k.globs, s.Name)
}

// declared notes where a stream is kept.
func (k *keeper) declared(s source.Stream) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refuse[s.Name] = s.Durable
}

// Keep implements peer.Keeper. What the spool refuses of other streams than durable ones it counts and declares itself.
func (k *keeper) Keep(stream peer.StreamConfig, h wire.Header, body []byte) error {
	to := k.spool
	if stream.Durable {
		to = k.durable
	}
	_, err := to.Append(k.description(stream, h.Stream), h, body)
	return err
}

// description makes a string of the meta once, not for each batch.
func (k *keeper) description(stream peer.StreamConfig, id uint32) spool.Description {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.streams[id]
	if d.Name == "" || d.Meta != string(stream.Meta) {
		d = spool.Description{Name: stream.Name, Class: stream.Class, Meta: string(stream.Meta)}
		k.streams[id] = d
	}
	return d
}

// run has the spool written until the function that it returns is called, which waits for the rest.
func (k *keeper) run() (end func()) {
	if k == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var task sync.WaitGroup
	task.Go(func() { _ = k.spool.Run(ctx) })   // always nil
	task.Go(func() { _ = k.durable.Run(ctx) }) // always nil
	return func() {
		cancel()
		task.Wait()
	}
}

func (k *keeper) close() {
	if k == nil {
		return
	}
	for _, d := range k.dirs {
		d.close()
	}
}

// Read implements peer.Keeper. A stream is looked for where it is kept now: what was made before it became durable, or ceased to be, is left.
func (k *keeper) Read(after map[string]wire.Position, since time.Duration) peer.Past {
	others := spool.Query{Streams: map[string]spool.Place{}, Since: since}
	durable := spool.Query{Streams: map[string]spool.Place{}, Since: since}
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, p := range after {
		place := spool.Place{Epoch: p.Epoch, Seq: p.Seq}
		if k.refuse[name] {
			durable.Streams[name] = place
		} else {
			others.Streams[name] = place
		}
	}
	return past{k.durable.Read(durable), k.spool.Read(others)}
}

// past is what the spools hold, as a Host reads it: what is durable first.
type past []*spool.Reader

// Next implements peer.Past.
func (p past) Next() (peer.Kept, error) {
	var item spool.Item
	err := io.EOF
	for _, r := range p {
		if item, err = r.Next(); !errors.Is(err, io.EOF) {
			break
		}
	}
	if err != nil {
		return peer.Kept{}, err
	}
	k := peer.Kept{
		Stream: peer.StreamConfig{Name: item.Name, Class: item.Class, Meta: []byte(item.Meta)},
		Epoch:  item.Header.Epoch, Number: item.Header.Stream, Body: item.Body, Gap: item.Gap,
	}
	if item.Gap.From != 0 {
		k.Epoch, k.Number = item.Gap.Epoch, item.Gap.Stream
	}
	return k, nil
}

// Settled implements peer.Past.
func (p past) Settled() bool {
	return !slices.ContainsFunc(p, func(r *spool.Reader) bool { return !r.Settled() })
}

// Ends implements peer.Past.
func (p past) Ends() map[string]wire.Position {
	ends := map[string]wire.Position{}
	for _, r := range p {
		for name, at := range r.Ends() {
			ends[name] = wire.Position{Epoch: at.Epoch, Seq: at.Seq}
		}
	}
	return ends
}

// Close implements peer.Past.
func (p past) Close() {
	for _, r := range p {
		r.Close()
	}
}
