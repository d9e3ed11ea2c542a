package control

// answers remembers commands for the lease and the stop by their id, so that a repetition is answered and not obeyed.
type answers struct {
	of    map[string]answer
	order []string // oldest first
}

// answer is what one was answered, beside the state as it is.
type answer struct{ code, reason string }

func (a *answers) get(id string) (answer, bool) {
	got, known := a.of[id]
	return got, known
}

// add remembers one; "" is nobody's.
func (a *answers) add(id string, what answer) {
	if id == "" {
		return
	}
	if _, known := a.of[id]; !known {
		if len(a.order) == maxAnswered {
			delete(a.of, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, id)
	}
	a.of[id] = what
}
