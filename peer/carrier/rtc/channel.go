package rtc

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/pion/datachannel"
	"github.com/pion/sctp"
	"github.com/pion/webrtc/v4"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// label is the channels' name; its number is the version of the table.
const label = "telepath-1"

// kind is a row of the channel table, protocol section 7.1.
type kind struct {
	unordered      bool
	lifetimeMillis uint16 // 0: none
	retransmits    uint16 // 0: no bound
	lanes          carrier.Lanes
	limit          int // bytes that are coalesced into one packet
}

// reliablePacket is small for a reason: the association sends one message at
// a time, so a fresh Live packet waits for as much as this.
const reliablePacket = 4 << 10

// Numbers of channels.
const (
	reliableChannel = iota
	liveChannel
	briefChannel
	channelCount // the number of rows
)

// table is indexed by channel number.
var table = [channelCount]kind{
	reliableChannel: {
		limit: reliablePacket,
		lanes: carrier.SetOf(carrier.LaneSignal, carrier.LaneCall, carrier.LaneEvent, carrier.LaneHistory),
	},
	liveChannel: {
		unordered: true, lifetimeMillis: 250, limit: wire.MaxLiveData,
		lanes: carrier.SetOf(carrier.LaneLive),
	},
	briefChannel: {
		unordered: true, retransmits: 1, limit: wire.MaxLiveData,
		lanes: carrier.SetOf(carrier.LaneControl, carrier.LaneSetpoint),
	},
}

func laneSets() (sets []carrier.Lanes) {
	for _, k := range table {
		sets = append(sets, k.lanes)
	}
	return sets
}

var errExtraChannel = errors.New("the other end opened a data channel that is not in the table: it is not telepath, or another version")

// channel is an open data channel.
type channel struct {
	datachannel.ReadWriteCloserDeadliner
	kind   kind
	tap    *carrier.Tap
	stream *sctp.Stream

	// Not of the Live channel, which has a liveWriter.
	writing sync.Mutex    // held to make a packet and write it
	batch   carrier.Batch // guarded by writing
}

// abandon has SCTP repeat nothing of what is sent on the channel from now on, or
// as the table has it. The other end is told of each that it has let go as often as
// it acknowledges something, so it is for times in which it does not.
func (c *channel) abandon(on bool) {
	if on {
		c.stream.SetReliabilityParams(c.kind.unordered, sctp.ReliabilityTypeRexmit, 0)
	} else {
		c.kind.set(c.stream)
	}
}

func (k kind) init(id uint16) *webrtc.DataChannelInit {
	ordered, negotiated := !k.unordered, true
	init := &webrtc.DataChannelInit{Ordered: &ordered, Negotiated: &negotiated, ID: &id}
	if k.lifetimeMillis != 0 {
		init.MaxPacketLifeTime = &k.lifetimeMillis
	}
	if k.retransmits != 0 {
		init.MaxRetransmits = &k.retransmits
	}
	return init
}

// makeChannels creates the table's channels; opened is called for each.
func (p *Peer) makeChannels() error {
	for id, k := range table {
		dc, err := p.pc.CreateDataChannel(label, k.init(uint16(id)))
		if err != nil {
			return err
		}
		dc.OnOpen(func() {
			if err := p.opened(id, dc); err != nil {
				p.life.Stop(err)
			}
		})
	}
	return nil
}

// opened takes over a channel, and is the last one's signal for ready.
func (p *Peer) opened(id int, dc *webrtc.DataChannel) error {
	raw, err := dc.DetachWithDeadline()
	if err != nil {
		return fmt.Errorf("take over data channel %d: %w", id, err)
	}
	stream, err := table[id].commit(raw)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.channels[id] = &channel{ReadWriteCloserDeadliner: raw, kind: table[id], tap: p.buffer.Tap(id), stream: stream}
	if p.open++; p.open == channelCount {
		close(p.ready)
	}
	return nil
}

// commit makes pion send as the table says. pion does that when a channel is
// announced, or its announcement acknowledged; a negotiated channel is
// neither (datachannel v1.6.2), and would be ordered and reliable, so that
// one lost packet holds up all that follow. The stream that has the method
// is not exported: hence the reflection, and a test that sees its effect.
func (k kind) commit(raw any) (*sctp.Stream, error) {
	field := reflect.Indirect(reflect.ValueOf(raw)).FieldByName("stream")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*sctp.Stream]() || field.IsNil() {
		return nil, fmt.Errorf("set the reliability of a data channel: %T has no SCTP stream: this version of pion is not supported", raw)
	}
	stream := (*sctp.Stream)(field.UnsafePointer())
	k.set(stream)
	return stream, nil
}

func (k kind) set(stream *sctp.Stream) {
	switch {
	case k.lifetimeMillis != 0:
		stream.SetReliabilityParams(k.unordered, sctp.ReliabilityTypeTimed, uint32(k.lifetimeMillis))
	case k.retransmits != 0:
		stream.SetReliabilityParams(k.unordered, sctp.ReliabilityTypeRexmit, uint32(k.retransmits))
	default:
		stream.SetReliabilityParams(k.unordered, sctp.ReliabilityTypeReliable, 0)
	}
}
