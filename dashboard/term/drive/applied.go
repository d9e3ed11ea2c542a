package drive

import (
	"fmt"
	"strings"
	"sync"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// AppliedStreams is a glob of the streams on which a device publishes where its axes really are, unless it is set up otherwise.
const AppliedStreams = "control/*"

// maxApplied bounds the streams that are kept: a device has at most 32 axes, and three streams of control beside.
const maxApplied = 64

// Applied knows where the axes are, as the device says: its Received is for peer.Events. The zero value is ready, and safe for
// concurrent use.
type Applied struct {
	mu     sync.Mutex
	batch  telemetry.Batch    // guarded by mu
	values map[string]float64 // guarded by mu; by stream, newest
}

// Received takes what comes on a stream.
func (a *Applied) Received(r peer.Received) {
	if r.Late || r.Past {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Take == 0 || telemetry.Decode(&a.batch, r.Payload, r.Header.Count) != nil {
		return
	}
	if _, known := a.values[r.Stream.Name]; !known && len(a.values) >= maxApplied {
		return
	}
	if a.values == nil {
		a.values = map[string]float64{}
	}
	a.values[r.Stream.Name] = a.batch.Value(r.Skip + r.Take - 1).Number()
}

// words are the values of the axes that are known.
func (a *Applied) words(axes []rpc.Axis) string {
	if a == nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var parts []string
	for _, x := range axes {
		if v, known := a.values[x.Stream]; known {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %.3g %s", view.Escape(x.Name), v, view.Escape(x.Unit))))
		}
	}
	return strings.Join(parts, ", ")
}
