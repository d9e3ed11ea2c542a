/**
 * ladder decides which of the paths between two ends of a Conn to send on. It
 * is the pure half of docs/protocol.md, section 7.2, and the twin of Go's
 * peer/ladder: both play the scenarios in peer/ladder/testdata. It is told what
 * happened on which carrier and when, and answers what to do now.
 *
 *     up, down              a carrier opened or closed
 *     heard, proved, doubt  what the other end let us know on it
 *     step                  → send on these, probe those, replace that, wake me then
 *
 * A carrier goes through these states:
 *
 *                 proved               nothing heard, or "heard = 0"
 *     unproven ───────────▶ sound ◀───────────────────────────▶ in doubt
 *         ▲                          heard, proved                  │
 *         └────────────── dead: in doubt for replaceAfter ◀─────────┘
 *                         while another carrier is sound
 *
 * One usable carrier is the chosen one. A second is used beside it while the
 * chosen one is in doubt, and while a better rung is on trial. So a path that
 * works is never left before another one was proved both ways (invariant I4),
 * and there is no path only when no carrier is usable.
 *
 * Times are ms since any fixed start, from a monotonic clock, and may have a
 * fraction. Nothing here has a clock or does I/O.
 */
export type { Config } from "./config";
export { Ladder, NEVER, type State } from "./ladder";
export { REASONS, type Reason } from "./reason";
export { height, mayUse, parseRung, RUNGS, type Rung } from "./rung";
export type { Decision } from "./step";
