import type { Position, Range } from "../wire";
import { type Batch, lastOf, NEVER, sizeOf } from "./batch";
import { type Flight, MAX_UNACKED } from "./flight";
import { againAt, type Item, next, timeout } from "./resend";
import type { Ring } from "./ring";

/** Sent is a batch, or a gap in the place of batches, that was sent. */
export interface Sent {
	seq: number;
	last: number;
	size: number; // counted in the flight; 0 for a gap
	at: number; // when it was sent last
	gap: boolean;
	received: boolean; // the receiver holds it, beyond its position
	due: boolean; // to be sent again now
	hole: boolean; // the receiver has later ones: to be sent again when a round trip has passed
}

/**
 * Outbox is one Conn's sending side of one Event stream (section 5.1).
 *
 *           acked      sent, unacknowledged      unsent            head
 *     ────────┤├──────────────────────────────────┤├────────────────┤
 *     delivered         batches and gaps             to be sent
 *
 * It follows while unsent is beyond the head: new batches are its as they are
 * made. Otherwise it catches up: next yields batch after batch, paced by
 * acknowledgements.
 */
export class Outbox {
	/** start is the position after which delivery began, as describe tells it. */
	readonly start: number;

	// The rest of the state, which resend.ts works on, too.
	acked: number; // position of the receiver
	unsent: number; // first sample never sent
	isFollowing: boolean;
	sent: Sent[] = []; // unacknowledged, in order
	flagged = 0; // how many of sent are due or in a hole
	rtt = 0; // as next was told last
	timer = 0; // from when the wait for progress counts
	waits = 0; // how often it was in vain since

	/** Delivery starts behind after, or at the head if after is beyond it. */
	constructor(
		readonly ring: Ring,
		readonly stream: number,
		readonly flight: Flight,
		after: number,
	) {
		this.start = this.acked = Math.min(after, ring.head);
		this.unsent = this.start + 1;
		this.isFollowing = this.start === ring.head;
	}

	/**
	 * following reports whether new batches go to this Conn as they are made. It
	 * turns false when follows finds no room, and true again when next has
	 * caught up with the head.
	 */
	following(): boolean {
		return this.isFollowing;
	}

	/**
	 * follows is to be called for each batch just pushed to the ring. True: send
	 * it now, it counts as sent. False: it will come through next.
	 */
	follows(now: number, b: Batch): boolean {
		this.isFollowing &&= b.seq === this.unsent && this.fits(b);
		if (this.isFollowing) this.fly(now, b);
		return this.isFollowing;
	}

	/** ack takes the receiver's position. One that is older than another, of another epoch or beyond the head says nothing. */
	ack(now: number, p: Position): void {
		if (p.stream !== this.stream || p.epoch !== this.ring.epoch) return;
		if (p.seq < this.acked || p.seq > this.ring.head) return;
		if (p.seq > this.acked) {
			this.acked = p.seq;
			this.unsent = Math.max(this.unsent, p.seq + 1);
			this.progress(now);
			this.land();
		}
		this.mark(now, p.received);
	}

	/** switched says that the path changed, or is in doubt: all that is unacknowledged is due again, now. */
	switched(now: number): void {
		this.progress(now);
		this.repeatAll();
	}

	/**
	 * refused says that no path took what next or follows has just counted as
	 * sent, for want of room: it is due again. The caller waits a moment before next.
	 */
	refused(seq: number): void {
		for (const s of this.sent) {
			if (s.seq > seq || s.last < seq || s.due || s.received) continue;
			s.due = true;
			if (!s.hole) this.flagged++;
		}
	}

	/**
	 * next is what is due next; it counts as sent now. Call it until it returns
	 * null: after ack, switched, a push that follows refused, and at wake. rtt is
	 * the round trip of the path that is used.
	 */
	next(now: number, rtt: number): Item | null {
		return next(this, now, rtt);
	}

	/** wake is when to call next at the latest; NEVER: not without an event. */
	wake(): number {
		if (this.sent.length === 0) return NEVER;
		let at = timeout(this);
		if (this.flagged > 0) for (const s of this.sent) at = Math.min(at, againAt(this, s));
		return at;
	}

	/** close gives back to the flight what is unacknowledged. The Outbox is not to be used again. */
	close(): void {
		for (const s of this.sent) this.flight.used -= s.size;
		this.sent = [];
		this.flagged = 0;
	}

	fits(b: Batch): boolean {
		return this.sent.length < MAX_UNACKED && this.flight.fits(sizeOf(b.body));
	}

	/** fly counts a batch as sent for the first time. */
	fly(now: number, b: Batch): void {
		const size = sizeOf(b.body);
		this.flight.used += size;
		this.push(now, lastOf(b), size);
	}

	/** push counts all from unsent to last as sent: a batch of that size, or a gap. */
	push(now: number, last: number, size: number): Sent {
		if (this.sent.length === 0) this.progress(now);
		const flags = { received: false, due: false, hole: false };
		const s = { seq: this.unsent, last, size, at: now, gap: size === 0, ...flags };
		this.sent.push(s);
		this.unsent = last + 1;
		return s;
	}

	repeatAll(): void {
		this.flagged = 0;
		for (const s of this.sent) {
			if (s.received) continue;
			s.due = true;
			this.flagged++;
		}
	}

	private progress(now: number): void {
		this.timer = now;
		this.waits = 0;
	}

	/** land forgets what the position has passed. */
	private land(): void {
		let n = 0;
		for (const s of this.sent) {
			if (s.last > this.acked) break;
			this.flight.used -= s.size;
			n++;
		}
		this.sent.splice(0, n);
	}

	/** mark notes which of the unacknowledged the receiver holds, and which of the others lie before something that it holds. */
	private mark(now: number, ranges: readonly Range[]): void {
		let i = 0;
		let shown: Sent | null = null; // the last batch that it holds
		for (const s of this.sent) {
			while ((ranges[i]?.to ?? Infinity) < s.last) i++;
			const held = (ranges[i]?.from ?? Infinity) <= s.seq;
			if (held && !s.received) this.progress(now);
			if (held && !s.gap) shown = s;
			s.received = held; // and false again, if the receiver had to let go of it
		}
		this.flagged = 0;
		for (const s of this.sent) {
			s.hole = !s.received && s.seq < (shown?.seq ?? 0);
			s.due &&= !s.received;
			if (s.due || s.hole) this.flagged++;
		}
	}
}
