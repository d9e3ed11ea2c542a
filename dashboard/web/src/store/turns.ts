/** Turns kept: a clock that is set more often than that within a page's life is no clock. */
const MAX_TURNS = 16;

interface Turn {
	epoch: string;
	/** The first number that was stamped after it. */
	seq: number;
	ms: number;
}

/**
 * Turns are the places in a stream's numbers at which the device's clock was
 * set. What comes late, or from the spool, from before one is moved by as much
 * as what was there already, so that all times are of the clock as it is.
 */
export class Turns {
	private readonly turns: Turn[] = [];

	add(turn: Turn): void {
		this.turns.push(turn);
		if (this.turns.length > MAX_TURNS) this.turns.shift();
	}

	/** shift is how many ms to add to the time of a sample; newest is the epoch that runs. */
	shift(epoch: string, seq: number, newest: string): number {
		let ms = 0;
		for (const turn of this.turns) {
			const isBefore = epoch === turn.epoch ? seq < turn.seq : epoch !== newest;
			if (isBefore) ms += turn.ms;
		}
		return ms;
	}
}

/** A time this much ahead of the device's clock, in ms, was stamped before that was set back. */
const AHEAD_MS = 60_000;
/** In September 2001. A time before that, in ms since the Unix epoch, is of a clock that nobody had set. */
const UNSET_BEFORE = 1e12;

/** isAhead tells a time that cannot be yet. */
export function isAhead(time: number, now: number): boolean {
	return time > now + AHEAD_MS;
}

/** isUnset tells a time of a board that begins in 1970, on one whose clock is set now. */
export function isUnset(time: number, now: number): boolean {
	return time < UNSET_BEFORE && now >= UNSET_BEFORE;
}

/**
 * isBefore tells whether a time, of the latest ones, was stamped before the
 * device's clock was set by ms; now is what that clock shows. Set forward, all
 * times of before lie that far back; set back, those of lately lie ahead.
 */
export function isBefore(time: number, ms: number, now: number): boolean {
	return ms > 0 ? time < now - 0.9 * ms : time > now - 0.1 * ms;
}
