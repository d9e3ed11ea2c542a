package turn

// maxRevoked is how many revoked sessions are remembered; the one revoked first
// is forgotten first. What that costs is little: its two ends, if they still
// have credentials, can meet each other again.
const maxRevoked = 1 << 16

// revoked are the sessions that were revoked last. The zero value is ready.
type revoked struct {
	number map[string]uint64 // of the revocation
	order  []string          // ring: order[n%maxRevoked] is the session revoked as the nth
	next   uint64
}

func (r *revoked) has(session string) bool {
	_, found := r.number[session]
	return found
}

func (r *revoked) add(session string) {
	if r.number == nil {
		r.number = make(map[string]uint64)
	}
	place := r.next % maxRevoked
	if r.next < maxRevoked {
		r.order = append(r.order, session)
	} else {
		if old := r.order[place]; r.number[old] == r.next-maxRevoked { // not allowed or revoked again since
			delete(r.number, old)
		}
		r.order[place] = session
	}
	r.number[session] = r.next
	r.next++
}

func (r *revoked) remove(session string) { delete(r.number, session) }
