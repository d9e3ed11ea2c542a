package rest

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/peer/telemetry/line"
	"github.com/telepath-iot/telepath/signaling/room"
)

// said is what a post says, read but not yet taken.
type said struct {
	parts   []part
	refused refusals
}

// part is one readable item.
type part struct {
	line    int
	content line.Content
}

func (r *Rest) parse(body []byte, now time.Time) (s said) {
	r.parsing <- struct{}{}
	defer func() { <-r.parsing }()
	for _, i := range line.Split(body) {
		if i.Err != nil {
			s.refused.add(i.Line, i.Err)
			continue
		}
		content, errs := line.Parse(i.Text, now)
		for _, err := range errs {
			s.refused.add(i.Line, err)
		}
		if content.Description != nil || len(content.Readings) > 0 {
			s.parts = append(s.parts, part{i.Line, content})
		}
	}
	return s
}

// empty reports whether all that was said is wrong. A post without any content
// is not: it says that its device is there.
func (s said) empty() bool { return len(s.parts) == 0 && s.refused.count > 0 }

// taken is what became of a post.
type taken struct {
	samples   int
	described int
	refused   refusals
	streams   []*stream // that got samples, in the order of their first
	unsettled int       // bytes that were published since the host took all
}

// publish takes the parts of a post, one post after the other, and replies
// when they are received.
func (d *device) publish(ctx context.Context, s said) (reply, *room.Refusal) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return reply{}, busy("other posts for this device take too long")
	}
	defer func() { <-d.turn }()
	t := &taken{refused: s.refused}
	d.taken = t
	// From here on it is done to the end: whoever gave up waiting may ask again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTime)
	defer cancel()
	for _, p := range s.parts {
		d.takePart(t, p)
	}
	if err := d.flush(ctx, t); err != nil {
		return reply{}, &room.Refusal{Code: "draining", Reason: "what was posted may not have been taken: " + err.Error(), Remedy: "post it again"}
	}
	d.received(ctx, t)
	defer t.clear()
	return d.rest.accepted(d, t), nil
}

// clear makes the streams ready for the next post.
func (t *taken) clear() {
	for _, s := range t.streams {
		s.count = 0
	}
}

// flush publishes what is packed, and has the host take it.
func (d *device) flush(ctx context.Context, t *taken) error {
	for _, st := range t.streams {
		if err := st.flush(); err != nil { // every sample was checked
			return err
		}
	}
	return d.host.Settle(ctx)
}

func (d *device) takePart(t *taken, p part) {
	errs := d.streams.Take(p.content)
	for _, err := range errs {
		t.refused.add(p.line, err)
	}
	if p.content.Description != nil {
		t.described += 1 - len(errs)
	}
}

// publishTime bounds the publishing of a post, which takes a few milliseconds.
const publishTime = 5 * time.Second

// receivedTime bounds how long a post waits until the room retains it, so that
// who asks for it next gets it. What was posted is safe in the host before.
const receivedTime = 250 * time.Millisecond

func (d *device) received(ctx context.Context, t *taken) {
	ctx, cancel := context.WithTimeout(ctx, receivedTime)
	defer cancel()
	for _, st := range t.streams {
		at := st.out.Position()
		if !d.rest.cfg.Room.Await(ctx, d.host.ID(), at.Stream, at.Epoch, at.Seq) {
			return
		}
	}
}
