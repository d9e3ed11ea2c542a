/** Config holds the ladder's times, in ms. What is missing has its default, that of docs/protocol.md, section 7.2. */
export interface Config {
	quiet: number; // silence after which a carrier in use is probed
	secondProbe: number; // from the first probe into silence to the second, at least
	doubtFloor: number; // least time beyond quiet for an answer, before doubt
	stay: number; // how long a better rung has to stay sound before it is used alone
	stayMax: number; // to which stay doubles when the rung dies young
	replaceAfter: number; // time in doubt after which a carrier wants a successor
	spareProbe: number; // quiet of a carrier that is not in use
	measure: number; // a carrier in use is probed at least this often, for round trip and clock
}

export const DEFAULTS: Config = {
	quiet: 300,
	secondProbe: 100,
	doubtFloor: 300,
	stay: 1_000,
	stayMax: 30_000,
	replaceAfter: 3_000,
	spareProbe: 1_000,
	measure: 2_000,
};

/** DYING_YOUNG is the age, since it was taken, below which a carrier's death doubles the hold-down of its rung. */
export const DYING_YOUNG = 10_000;
/** FORGIVE_AFTER is the time without such a death after which a rung's hold-down is stay again. */
export const FORGIVE_AFTER = 60_000;
/** ANSWER_SLACK is by how much an answer may come later than a quarter above the least round trip, in ms, before it is asked again. */
export const ANSWER_SLACK = 10;
/**
 * UNMEASURED_PATIENCE stands for the wait for an answer as long as no round
 * trip was measured: enough for one over a slow mobile network.
 */
export const UNMEASURED_PATIENCE = 1_000;

/**
 * MAX_SPREAD, beside two round trips, is what their variation can add to the
 * wait for an answer, in ms: a few that came late must not hide the next outage.
 */
export const MAX_SPREAD = 200;

/**
 * KEPT_ROUNDS is how many round trips are looked back at for the smallest, each
 * of a probe that was sent when the one before was over. An outage makes two
 * or three of them long; if all are, the way has become longer.
 */
export const KEPT_ROUNDS = 4;
