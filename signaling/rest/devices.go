package rest

import (
	"context"

	"github.com/telepath-iot/telepath/signaling/room"
)

// device finds or makes the device of a name, for a post that is under way
// from now on: done ends it.
func (r *Rest) device(ctx context.Context, name string) (*device, *room.Refusal) {
	for {
		d, no := r.find(name)
		if no != nil || d.begin() {
			return d, no
		}
		select {
		case <-d.over:
		case <-ctx.Done():
			return nil, busy("the device that posted under this name is ending")
		}
	}
}

func (r *Rest) find(name string) (*device, *room.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[name]
	switch {
	case d != nil:
		return d, nil
	case r.closed:
		return nil, &room.Refusal{Code: "draining", Reason: "this server is going down", Remedy: "post again: another server, or this one restarted, will answer"}
	case len(r.devices) >= maxDevices:
		return nil, busy("as many devices post as the server allows")
	}
	d, err := r.newDevice(name)
	if err != nil {
		return nil, malformed(err.Error())
	}
	r.devices[name] = d
	return d, nil
}

func (r *Rest) forget(d *device) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.devices[d.name] == d {
		delete(r.devices, d.name)
	}
}

// posting is how many devices post.
func (r *Rest) posting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.devices)
}
