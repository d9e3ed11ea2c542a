package carrier

// shares is how much each Source has in the lanes that many fill through a relay, control, Call and Signal, in bytes, with frameCost for
// each frame. Who sends more than the path takes shall push out nobody's frames but its own (I5).
type shares map[share]int

type share struct {
	lane   Lane
	source uint64
	yields bool
}

func shareOf(lane Lane, f Frame) share { return share{lane, f.Source, f.Yields} }

// frameCost is a frame's part of the control lane's bounds beside its bytes: 128 KiB / 512.
const frameCost = 256

func cost(f Frame) int { return len(f.Bytes) + frameCost }

// add counts a frame that came or, with sign -1, went.
func (s shares) add(lane Lane, f Frame, sign int) {
	if !lane.isShared() {
		return
	}
	of := shareOf(lane, f)
	if s[of] += sign * cost(f); s[of] == 0 {
		delete(s, of)
	}
}

// most is the largest share of a lane.
func (s shares) most(lane Lane) (most int) {
	for of, bytes := range s {
		if of.lane == lane {
			most = max(most, bytes)
		}
	}
	return most
}

// oldest is the oldest frame of whoever has most in the lane.
func (s shares) oldest(lane Lane, l *list) *node {
	most := s.most(lane)
	for n := l.front; n != nil; n = n.next {
		if s[shareOf(lane, n.frame)] == most {
			return n
		}
	}
	return l.front
}

// passedOn is how much of a lane is of others than this end itself.
func (s shares) passedOn(lane Lane) (cost int) {
	for of, bytes := range s {
		if of.lane == lane && of.source != 0 {
			cost += bytes
		}
	}
	return cost
}

// of is how much of a lane is of a source, whether it yields or not.
func (s shares) of(lane Lane, source uint64) int {
	return s[share{lane, source, false}] + s[share{lane, source, true}]
}

// newest is the newest frame of whoever has most in the lane, and more than f's source would have with it; nil: nobody. What this end has to say
// itself is not refused once it was taken, and what need not yield gives way to nothing that has to.
func (s shares) newest(lane Lane, l *list, f Frame) *node {
	most := 0
	gives := func(of share) bool { return of.lane == lane && of.source != 0 && (of.yields || !f.Yields) }
	for of, bytes := range s {
		if gives(of) {
			most = max(most, bytes)
		}
	}
	if most <= s[shareOf(lane, f)]+cost(f) {
		return nil
	}
	for n := l.back; n != nil; n = n.prev {
		if of := shareOf(lane, n.frame); gives(of) && s[of] == most {
			return n
		}
	}
	return nil
}
