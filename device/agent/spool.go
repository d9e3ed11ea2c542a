package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/device/disk"
	"github.com/telepath-iot/telepath/device/spool"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Spool says what the agent keeps on disk of what it publishes, for who was
// not there: package device/spool.
type Spool struct {
	Off   bool          // nothing is kept
	Dir   string        // a folder of its own, made if it is not there; default: "spool" in the agent's
	Bytes int64         // default 256 MiB, at least 1 MiB
	Age   time.Duration // default 24 h
}

// keeper keeps what the Host publishes in a spool. Its methods do nothing where there is none.
type keeper struct {
	spool *spool.Spool // set once
	dir   *dir

	mu      sync.Mutex
	streams map[uint32]spool.Description // guarded by mu; as they were told last
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
	folder, err := openDir(path)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s, err := spool.Open(spool.Config{FS: disk.OS{Dir: path}, Bytes: c.Spool.Bytes, Age: c.Spool.Age, Log: c.Log})
	if err != nil {
		folder.close()
		return nil, err
	}
	return &keeper{spool: s, dir: folder, streams: map[uint32]spool.Description{}}, nil
}

// Keep implements peer.Keeper. What the spool refuses it counts and declares itself.
func (k *keeper) Keep(stream peer.StreamConfig, h wire.Header, body []byte) {
	_, _ = k.spool.Append(k.description(stream, h.Stream), h, body)
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
	task.Go(func() { _ = k.spool.Run(ctx) }) // always nil
	return func() {
		cancel()
		task.Wait()
	}
}

func (k *keeper) close() {
	if k != nil {
		k.dir.close()
	}
}

// Read implements peer.Keeper.
func (k *keeper) Read(after map[string]wire.Position, since time.Duration) peer.Past {
	q := spool.Query{Streams: map[string]spool.Place{}, Since: since}
	for name, p := range after {
		q.Streams[name] = spool.Place{Epoch: p.Epoch, Seq: p.Seq}
	}
	return past{k.spool.Read(q)}
}

// past is what a spool holds, as a Host reads it.
type past struct{ *spool.Reader }

// Next implements peer.Past.
func (p past) Next() (peer.Kept, error) {
	item, err := p.Reader.Next()
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
