// Package cluster joins servers that share a bus: a device may be linked to
// one of them and be watched at another.
//
//   - Records of devices are shared through the bus's store; a change is
//     learned by all at once.
//   - Each server beats once a second. The devices of one that fell silent are
//     offline, and its viewers gone.
//   - Frames cross in packets on one subject per server. A trunk is one
//     server's interest in one device of another (package room draws it); it
//     has a bounded queue like any link.
//
// The bus may lose messages. That is no worse than any path: what must arrive
// is repeated by its sender (docs/protocol.md, sections 5 and 6).
package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/signaling/bus"
	"github.com/telepath-iot/telepath/signaling/room"
)

// Subjects on the bus.
const (
	beatSubject   = "telepath.beat"
	serverSubject = "telepath.server." // and the server's id
)

// Times.
const (
	beatEvery  = time.Second
	deadAfter  = 3500 * time.Millisecond // three beats lost, and some patience
	sweepEvery = 5 * time.Second         // unused trunks live this long at most
)

// Cluster is one server's part in the cluster.
type Cluster struct {
	// Set once.
	bus bus.Bus
	id  string
	log *slog.Logger

	trunks sync.WaitGroup // their writers

	mu      sync.Mutex
	seen    map[string]time.Time // other servers, by id: the last beat
	viewers map[key]*guest       // other servers' interest in our devices
	closed  bool
}

// key names a trunk: the other server and the device.
type key struct{ server, device string }

// guest is another server as a viewer of one of our devices.
type guest struct {
	trunk *trunk
	// mu serializes what comes from the bus with the end of the guest.
	mu     sync.Mutex
	viewer *room.Viewer // nil: it has left
}

// New makes the part of the server with the given id.
func New(b bus.Bus, id string, log *slog.Logger) *Cluster {
	return &Cluster{bus: b, id: id, log: log, seen: make(map[string]time.Time), viewers: make(map[key]*guest)}
}

// Run takes part until ctx ends.
func (c *Cluster) Run(ctx context.Context, r *room.Room) error {
	cancelFrames, err := c.bus.Subscribe(serverSubject+c.id, func(data []byte) { c.receive(r, data) })
	if err != nil {
		return err
	}
	cancelBeats, err := c.bus.Subscribe(beatSubject, func(data []byte) { c.beat(r, string(data)) })
	if err != nil {
		cancelFrames()
		return err
	}
	var watching sync.WaitGroup
	watching.Go(func() { c.learn(ctx, r) })
	c.tick(ctx, r)
	cancelBeats()
	cancelFrames()
	watching.Wait()
	c.leaveAll()
	for _, server := range c.dead(time.Now().Add(time.Hour)) { // to us they are, all of them: it ends our trunks to them
		r.SetAlive(server, false)
	}
	c.trunks.Wait()
	return ctx.Err()
}

// learn hands over the records that others store, again and again if the bus breaks off.
func (c *Cluster) learn(ctx context.Context, r *room.Room) {
	for ctx.Err() == nil {
		err := c.bus.Watch(ctx, func(id string, value []byte) {
			if value == nil {
				r.Forget(id)
				return
			}
			rec, err := room.ParseRecord(value)
			if err != nil || rec.ID != id {
				c.log.Warn("another server's record is left out", "device", id, "err", err)
				return
			}
			r.Learn(rec)
		})
		if ctx.Err() == nil {
			c.log.Warn("the shared store cannot be reached, trying again", "err", err)
			sleep(ctx, beatEvery)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// tick beats, and looks who has stopped to.
func (c *Cluster) tick(ctx context.Context, r *room.Room) {
	beat, sweep := time.NewTicker(beatEvery), time.NewTicker(sweepEvery)
	defer beat.Stop()
	defer sweep.Stop()
	for {
		if err := c.bus.Publish(beatSubject, []byte(c.id)); err != nil {
			c.log.Debug("no beat was sent", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			r.Sweep()
		case <-beat.C:
		}
		for _, server := range c.dead(time.Now()) {
			c.log.Warn("another server is gone", "server", server)
			r.SetAlive(server, false)
			c.leave(func(k key) bool { return k.server == server })
		}
	}
}

// beat notes that another server is there.
func (c *Cluster) beat(r *room.Room, server string) {
	if server == c.id {
		return
	}
	c.mu.Lock()
	_, known := c.seen[server]
	c.seen[server] = time.Now()
	c.mu.Unlock()
	if !known {
		c.log.Info("another server is there", "server", server)
		r.SetAlive(server, true)
	}
}

func (c *Cluster) dead(now time.Time) (gone []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for server, at := range c.seen {
		if now.Sub(at) > deadAfter {
			gone = append(gone, server)
			delete(c.seen, server)
		}
	}
	return gone
}
