// Package ladder decides which of the paths between two ends of a Conn to
// send on. It is the pure half of docs/protocol.md, section 7.2: it is told
// what happened on which carrier and when, and answers what to do now.
//
//	Up, Down              a carrier opened or closed
//	Heard, Proved, Doubt  what the other end let us know on it
//	Step                  → send on these, probe those, replace that, wake me then
//
// A carrier goes through these states:
//
//	            Proved               nothing heard, or "heard = 0"
//	unproven ───────────▶ sound ◀───────────────────────────▶ in doubt
//	    ▲                          Heard, Proved                  │
//	    └────────────── dead: in doubt for ReplaceAfter ◀─────────┘
//	                    while another carrier is sound
//
// One usable carrier is the chosen one. A second is used beside it while the
// chosen one is in doubt, and while a better rung is on trial; a trial ends
// when the better rung has stayed sound for its hold-down, which grows with
// each time it died young. So a path that works is never left before another
// one was proved both ways (invariant I4), and there is no path only when
// no carrier is usable.
//
// Each end runs its own ladder for what it sends; the two need not agree.
// Times are durations since any fixed start, from a monotonic clock. Nothing
// here has a clock, a goroutine or I/O, and nothing is safe for concurrent use.
package ladder
