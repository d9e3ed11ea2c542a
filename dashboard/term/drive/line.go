package drive

import (
	"fmt"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
)

// Help says which keys there are.
func Help(axes []rpc.Axis) string {
	var parts []string
	s := sticksFor(axes)
	if s.ahead != nil {
		parts = append(parts, "W/S or ↑/↓ "+view.Escape(s.ahead.Name))
	}
	if s.side != nil {
		parts = append(parts, "A/D or ←/→ "+view.Escape(s.side.Name))
	}
	return strings.Join(append(parts, "space or Esc stop", "r ask for the lease", "g give it, n deny it", "q quit"), " · ")
}

// stale is how old what was heard of the device may be until that is worth a word.
const stale = time.Second

// line is how it stands, for people.
func line(s peer.Status, applied *Applied) string {
	parts := []string{leaseWords(s), handWords(s)}
	if s.Machine != nil {
		if words := applied.words(s.Machine.Axes); words != "" {
			parts[1] += ": " + words
		}
	}
	if s.Stop.Sending == rpc.Stop {
		parts = append([]string{"sending STOP"}, parts...)
	} else if s.Stop.Stopped {
		parts = append([]string{"STOPPED by " + view.Escape(s.Stop.By) + " (telepath reset ends it)"}, parts...)
	}
	if s.RoundTrip > 0 {
		parts = append(parts, fmt.Sprintf("round trip %.3g ms", s.RoundTrip.Seconds()*1000))
	}
	if s.TickAge > stale {
		parts = append(parts, fmt.Sprintf("nothing heard for %.0f s", s.TickAge.Seconds()))
	}
	return strings.Join(parts, " · ")
}

func leaseWords(s peer.Status) string {
	l := s.Lease
	switch {
	case l.Mine && len(l.Asks) > 0:
		return view.Escape(l.Asks[0].Name) + " asks for the lease: g gives it, n denies"
	case l.Mine:
		return fmt.Sprintf("the lease is yours, %.0f s", s.LeaseLeft.Seconds())
	case l.Holder != nil && l.Code != "": // refused, or denied by the holder
		return view.Escape(l.Reason) + ": r asks for the lease again"
	case l.Holder != nil:
		return view.Escape(l.Holder.Name) + " holds the lease: r asks for it"
	case l.Code != "":
		return "no lease: " + view.Escape(l.Reason)
	}
	return "no lease: r takes it"
}

func handWords(s peer.Status) string {
	switch s.Driving {
	case rpc.Arming:
		return "the device does not obey yet"
	case rpc.Obeyed:
		return "moving"
	case rpc.Tripped:
		return "the device no longer obeys: let go first"
	}
	if s.Machine != nil && s.Machine.Moving {
		return "no hand, coming to rest"
	}
	return "safe"
}
