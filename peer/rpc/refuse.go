package rpc

// MayOperate reports whether a token's role may command at all.
func MayOperate(role string) bool { return role == "operator" || role == "admin" }

// Refuse is the Outcome that says no to a Command; false: there is none, for nobody waits for an answer.
func Refuse(c Command, code, reason string) (o Outcome, answers bool) {
	o = Outcome{ID: c.ID, Code: code, Reason: reason}
	switch c.Type {
	case Call:
		o.Type, o.State = Call, Rejected
	case Cancel, Ask: // what became of the call is not told
		o.Type = Call
	case Lease:
		o.Type = Lease
	case Stop, Reset:
		o.Type = Stop
	case Operate:
		o.Type = OutcomeMachine
	default:
		return Outcome{}, false
	}
	return o, true
}
