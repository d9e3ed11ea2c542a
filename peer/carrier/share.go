package carrier

// shares is how much each Source has in the control lane, in bytes, with
// frameCost for each frame. Many ends speak to one through a relay: who sends
// more than the path takes shall push out nobody's frames but its own (I5).
type shares map[uint64]int

// frameCost is a frame's part of the lane's bounds beside its bytes: 128 KiB / 512.
const frameCost = 256

func (s shares) add(lane Lane, f Frame) {
	if lane == LaneControl {
		s[f.Source] += len(f.Bytes) + frameCost
	}
}

func (s shares) remove(lane Lane, f Frame) {
	if lane != LaneControl {
		return
	}
	if s[f.Source] -= len(f.Bytes) + frameCost; s[f.Source] == 0 {
		delete(s, f.Source)
	}
}

// victim is the oldest frame of whoever has most in the lane.
func (s shares) victim(l *list) *node {
	most := 0
	for _, share := range s {
		most = max(most, share)
	}
	for n := l.front; n != nil; n = n.next {
		if s[n.frame.Source] == most {
			return n
		}
	}
	return l.front
}
