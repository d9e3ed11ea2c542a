package rest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/local"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/telemetry/line"
	"github.com/telepath-iot/telepath/signaling/room"
)

const (
	// linkTime bounds how long a post waits for its device to be linked.
	linkTime = 5 * time.Second

	// linkKeepAlive is that of the link within the process, which nothing can
	// cut: whether the device is there is told by its posts.
	linkKeepAlive = 30 * time.Second

	// silence, in keep alives, after which a device that posts is gone (section 6.2).
	silence = 1.5
)

// device is what stands for one name that is posted to.
type device struct {
	// Set once.
	rest *Rest
	name string
	host *peer.Host
	stop context.CancelFunc
	over chan struct{} // closed when it has ended and said goodbye

	turn    chan struct{} // holds one: whose turn it is to publish
	streams *line.Streams // whose turn it is uses it, and open and taken
	open    map[string]*stream
	taken   *taken // what became of the post that has the turn

	mu     sync.Mutex
	state  peer.HostState // guarded by mu
	news   chan struct{}  // guarded by mu: closed and replaced when state changes
	posts  int            // guarded by mu: under way
	ended  bool           // guarded by mu
	silent *time.Timer    // runs while no post is under way
}

func (r *Rest) newDevice(name string) (*device, error) {
	d := &device{rest: r, name: name, over: make(chan struct{}), open: make(map[string]*stream), turn: make(chan struct{}, 1), news: make(chan struct{})}
	host, err := peer.NewHost(peer.HostConfig{
		Endpoint: peer.Endpoint{URL: "http://localhost", Only: []ladder.Rung{ladder.WS}}, // the room logs who comes and goes
		Key:      r.cfg.Key(name), Name: name, Agent: "posts", Facts: map[string]string{"source": "posts"},
		KeepAlive: linkKeepAlive, Dial: r.dial, OnState: d.standing,
	})
	if err != nil {
		return nil, err
	}
	d.host = host
	d.streams = line.NewStreams("posts", d.declare)
	d.silent = time.AfterFunc(time.Hour, d.fellSilent)
	d.silent.Stop()
	var ctx context.Context
	ctx, d.stop = context.WithCancel(context.Background())
	r.tasks.Go(func() { d.run(ctx) })
	return d, nil
}

// dial links a device to the server it lives in.
func (r *Rest) dial(context.Context) (carrier.Carrier, error) {
	ours, servers := local.Pair(carrier.Limits{})
	r.tasks.Go(func() { r.cfg.Link(servers) })
	return ours, nil
}

func (d *device) run(ctx context.Context) {
	defer close(d.over)
	err := d.host.Run(ctx)
	d.mu.Lock()
	d.ended = true
	d.silent.Stop()
	d.mu.Unlock()
	d.rest.forget(d)
	if err != nil {
		d.rest.cfg.Log.Warn("a device that posts was refused", "device", d.host.ID(), "name", d.name, "err", err)
	}
}

// standing notes how the device stands with the server.
func (d *device) standing(s peer.HostState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = s
	close(d.news)
	d.news = make(chan struct{})
}

// begin says that a post is under way. False: the device ends.
func (d *device) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	d.posts++
	d.silent.Stop()
	return true
}

// done says that a post is no more under way. The device is there for its keep alive.
func (d *device) done(keepAlive time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.posts--; d.posts == 0 && !d.ended {
		d.silent.Reset(time.Duration(silence * float64(keepAlive)))
	}
}

func (d *device) fellSilent() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.posts == 0 {
		d.endLocked()
	}
}

func (d *device) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.endLocked()
}

// endLocked has the device say goodbye. Who posts next begins another one, after this one has ended.
func (d *device) endLocked() {
	d.ended = true
	d.stop()
}

// linked waits until the server has let the device in, or says why not.
func (d *device) linked(ctx context.Context) *room.Refusal {
	ctx, cancel := context.WithTimeout(ctx, linkTime)
	defer cancel()
	for {
		d.mu.Lock()
		state, news := d.state, d.news
		d.mu.Unlock()
		var refused *peer.RefusedError
		switch {
		case state.Linked:
			return nil
		case errors.As(state.Err, &refused):
			d.end()
			return &room.Refusal{Code: refused.Code, Reason: refused.Reason, Remedy: remedy(refused)}
		}
		select {
		case <-news:
		case <-d.over:
			return busy("the device that posts under this name is ending")
		case <-ctx.Done():
			return busy(fmt.Sprintf("the device was not linked within %v", linkTime))
		}
	}
}

func remedy(no *peer.RefusedError) string {
	if no.Code == "name-taken" {
		return "post under another name, or stop the other device"
	}
	return no.Remedy
}
