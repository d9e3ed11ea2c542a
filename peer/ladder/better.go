package ladder

// rank is what counts when two usable carriers are compared.
type rank struct {
	sound bool // not in doubt
	rung  Rung
	used  bool // so far
	born  int  // order of Up
}

// better reports whether a is to be preferred to b. It is a strict total
// order over carriers, whose births differ: what answers before what is in
// doubt; of the latter what is used, which was heard last; then the better
// rung; within a rung what is used, because changing gains nothing, and then
// the younger one, which is the successor.
func better(a, b rank) bool {
	switch {
	case a.sound != b.sound:
		return a.sound
	case !a.sound && a.used != b.used:
		return a.used
	case a.rung != b.rung:
		return a.rung < b.rung
	case a.used != b.used:
		return a.used
	default:
		return a.born > b.born
	}
}
