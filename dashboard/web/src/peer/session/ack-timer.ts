import { NEVER } from "./batch";
import { MAX_FLIGHT } from "./flight";

/**
 * ACK_DELAY is how long an acknowledgement may wait for more to acknowledge, in
 * ms. It leaves timers some of the 100 ms of section 5.1.
 */
const ACK_DELAY = 80;
/** ACK_SPACING is the least time between two of little, in ms: a burst of duplicates or holes is answered once. */
const ACK_SPACING = 10;
/**
 * ACK_BYTES is how much may come before it is acknowledged without delay: a
 * quarter of a flight, so that a sender who catches up never waits for us.
 */
const ACK_BYTES = MAX_FLIGHT / 4;

/** AckTimer knows when the next acknowledgement is due. */
export class AckTimer {
	/** at is when it is due; NEVER: none is. */
	at = NEVER;
	private last = -ACK_SPACING; // when the last one was sent
	private bytes = 0; // that came since

	now(now: number): void {
		this.by(Math.max(now, this.last + ACK_SPACING));
	}

	soon(now: number, size: number): void {
		this.bytes += size;
		if (this.bytes >= ACK_BYTES) this.by(now);
		else this.by(now + ACK_DELAY);
	}

	sent(now: number): void {
		this.at = NEVER;
		this.last = now;
		this.bytes = 0;
	}

	private by(at: number): void {
		this.at = Math.min(this.at, at);
	}
}
