import { type LinkRung, onChannels } from "../carrier/link-carrier";

// When a link moves up to data channels of the server's own, and down from them
// (section 6.10): Go's peer/lift.go in pure form. Times are in ms.

/** A link has carried for so long, for want of a better path, before it moves up. */
const AFTER = 2_000;
/** It stays up for so long when better paths carry. */
const IDLE_AFTER = 30_000;
/** An opening that failed is repeated after AGAIN, doubling to AGAIN_MAX. */
const AGAIN = 5_000;
const AGAIN_MAX = 300_000;
/** One that fell silent up there stays away for STAY longer, doubling to STAY_MAX each time it fell within YOUNG; it is forgiven after FORGIVEN. */
const STAY = 1_000;
const STAY_MAX = 30_000;
const YOUNG = 10_000;
const FORGIVEN = 60_000;

/** LiftWish is what it is time for. */
export type LiftWish = "up" | "down" | null;

export class Lift {
	private carries = false;
	private since = 0; // when carries began or ended, or the link became another
	private trying = false;
	/** leaving: another line is looked for that needs no data channels. */
	leaving = false;
	private next = 0; // not up before
	private failures = 0; // in a row
	private taken = 0; // when it was moved up
	private stay = 0;
	private fellAt = -Infinity;

	/** udp, tcp: may be used. */
	constructor(
		readonly udp: boolean,
		readonly tcp: boolean,
	) {}

	/** moved: the link is another one now. */
	moved(now: number, rung: LinkRung): void {
		this.since = now;
		this.trying = this.leaving = false;
		if (!onChannels(rung)) return;
		this.taken = now;
		if (rung === "relay-tcp" && this.udp) this.failed(now);
		else this.failures = 0;
	}

	/** failed: an opening came to nothing; or to TCP, where UDP was wanted. */
	failed(now: number): void {
		this.trying = false;
		this.next = now + Math.min(AGAIN * 2 ** Math.min(this.failures, 10), AGAIN_MAX);
		this.failures++;
	}

	/** fell: the link was on data channels, and they are silent or over. */
	fell(now: number): void {
		const young = now - this.taken < YOUNG && now - this.fellAt < FORGIVEN && this.stay > 0;
		this.stay = young ? Math.min(2 * this.stay, STAY_MAX) : STAY;
		this.fellAt = now;
		this.next = now + AFTER + this.stay;
	}

	/** anew: the network is another one, and nothing is known of it. */
	anew(now: number): void {
		this.failures = this.stay = 0;
		this.next = now;
	}

	/** doubt: the way on a rung is silent. True: another one is to be looked for. */
	doubt(now: number, rung: LinkRung): boolean {
		if (this.leaving) return false;
		if (onChannels(rung)) this.fell(now);
		this.leaving = true;
		return true;
	}

	/** left: an end of data channels that were not in doubt. */
	ended(now: number): void {
		if (!this.leaving) this.fell(now);
	}

	/** step says when it is time. carries: the link is what carries, for want of a better path. */
	step(now: number, rung: LinkRung, carries: boolean): LiftWish {
		if (!this.udp && !this.tcp) return null;
		if (carries !== this.carries) this.since = now;
		this.carries = carries;
		const higher = !onChannels(rung) || (rung === "relay-tcp" && this.udp);
		if (carries && higher && !this.trying && now >= Math.max(this.since + AFTER, this.next)) {
			this.trying = true;
			return "up";
		}
		if (!carries && onChannels(rung) && !this.leaving && now >= this.since + IDLE_AFTER) {
			this.leaving = true;
			return "down";
		}
		return null;
	}
}
