package control

// bucket bounds how often something is done: rate times a second, and a second's worth at once, but at least one.
type bucket struct {
	rate   float64
	tokens float64
	at     uint64 // µs
	begun  bool
}

// take says whether it may be done now.
func (b *bucket) take(now uint64) bool {
	most := max(b.rate, 1)
	if !b.begun {
		b.tokens, b.begun = most, true
	} else {
		b.tokens = min(most, b.tokens+b.rate*float64(now-min(b.at, now))/1e6)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
