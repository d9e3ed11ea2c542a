package session

// maxBudget bounds all rings of a device together, in bytes (section 5.1):
// what a small board can spare.
const maxBudget = 4 << 20

// Budget bounds the rings of a device together. Whichever ring holds the
// oldest batch gives way first: a chatty stream shortens the others' past, but never
// below its own.
type Budget struct {
	limit int
	used  int
	rings []*Ring
}

// NewBudget returns a Budget of limit bytes; 0 stands for 4 MiB.
func NewBudget(limit int) *Budget {
	if limit == 0 {
		limit = maxBudget
	}
	return &Budget{limit: limit}
}

// Used is the number of bytes held by all rings, with 64 for each batch's own cost.
func (b *Budget) Used() int { return b.used }

// enforce drops the oldest batches of any ring until the rest fits.
func (b *Budget) enforce() {
	for b.used > b.limit {
		oldest := b.oldest()
		if oldest == nil {
			return
		}
		oldest.drop()
	}
}

func (b *Budget) oldest() (oldest *Ring) {
	for _, r := range b.rings {
		if len(r.held()) > 0 && (oldest == nil || r.held()[0].At < oldest.held()[0].At) {
			oldest = r
		}
	}
	return oldest
}
