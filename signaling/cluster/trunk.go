package cluster

import (
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

// packetSize is how many bytes of waiting frames go into one message.
const packetSize = 16 << 10

// trunk sends one device's frames to one other server. It is a room.Link.
type trunk struct {
	cluster *Cluster
	kind    kind
	to      key
	buffer  *carrier.Buffer
	over    chan struct{}
	end     func()
}

func (c *Cluster) newTrunk(k kind, to key) *trunk {
	t := &trunk{cluster: c, kind: k, to: to, over: make(chan struct{})}
	t.buffer = carrier.NewBuffer(carrier.Limits{}, carrier.AllLanes)
	t.end = sync.OnceFunc(func() { close(t.over) })
	c.trunks.Go(t.write)
	return t
}

// Send implements room.Link.
func (t *trunk) Send(f carrier.Frame) bool { return t.buffer.Send(f) }

// Close implements room.Link. What waits is still sent.
func (t *trunk) Close(wire.Code, string) {
	t.buffer.Seal()
	t.end()
}

func (t *trunk) write() {
	defer t.buffer.Close()
	tap := t.buffer.Tap(0)
	for {
		t.flush(tap)
		select {
		case <-t.over:
			t.flush(tap)
			if t.kind == toHome {
				t.publish(leaving, nil)
			}
			return
		case <-tap.Ready():
		}
	}
}

func (t *trunk) flush(tap *carrier.Tap) {
	for b := (carrier.Batch{}); tap.Take(packetSize, &b); {
		if !t.publish(t.kind, b.Packet) {
			tap.Lost(&b)
		}
	}
}

func (t *trunk) publish(k kind, packet []byte) bool {
	message := append(appendHead(nil, k, t.cluster.id, t.to.device), packet...)
	err := t.cluster.bus.Publish(serverSubject+t.to.server, message)
	if err != nil {
		t.cluster.log.Debug("frames for another server are lost", "server", t.to.server, "err", err)
	}
	return err == nil
}

var _ room.Link = (*trunk)(nil)
