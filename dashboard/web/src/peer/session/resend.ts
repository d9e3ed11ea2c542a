import { GAP_REASONS, type Gap } from "../wire";
import type { Batch } from "./batch";
import { MAX_UNACKED } from "./flight";
import type { Outbox, Sent } from "./outbox";

// What an Outbox sends next, and when it sends again (section 5.1). Times in ms.

/** How long it waits for progress before it sends all again. */
const RESEND_FLOOR = 500;
const RESEND_MAX = 8_000;
/** Doublings after which RESEND_MAX is reached from any round trip. */
const MAX_DOUBLINGS = 5;

/** HOLE_FLOOR is the least age of a hole: switching paths reorders by some milliseconds, which is no loss. */
const HOLE_FLOOR = 10;

/** Item is the next thing to send: a batch, or a gap in its place. */
export type Item = { batch: Batch; gap: null } | { batch: null; gap: Gap };

export function next(o: Outbox, now: number, rtt: number): Item | null {
	o.rtt = rtt;
	if (o.sent.length > 0 && now >= timeout(o)) {
		o.timer = now;
		o.waits++;
		o.repeatAll();
	}
	const item = again(o, now);
	if (item !== null) return item;
	if (o.unsent > o.ring.head) {
		o.isFollowing = true;
		return null;
	}
	return advance(o, now);
}

/** timeout is when all is sent again unless there is progress. */
export function timeout(o: Outbox): number {
	const wait = Math.max(RESEND_FLOOR, 2 * o.rtt) * 2 ** Math.min(o.waits, MAX_DOUBLINGS);
	return o.timer + Math.min(wait, RESEND_MAX);
}

/** againAt is when s has to be sent again, as far as acknowledgements tell. */
export function againAt(o: Outbox, s: Sent): number {
	if (s.due) return s.at;
	// A quarter more than a round trip: an acknowledgement that shows the
	// repair may be as late as the one that showed the hole.
	return s.hole ? s.at + Math.max((o.rtt * 5) / 4, HOLE_FLOOR) : Infinity;
}

/** again repeats the first thing that has to be sent again. */
function again(o: Outbox, now: number): Item | null {
	if (o.flagged === 0) return null;
	const i = o.sent.findIndex((s) => now >= againAt(o, s));
	const s = o.sent[i];
	return s === undefined ? null : repeat(o, now, s, i);
}

function repeat(o: Outbox, now: number, s: Sent, i: number): Item {
	s.at = now;
	s.due = s.hole = false;
	o.flagged--;
	const batch = o.ring.from(s.seq);
	if (!s.gap && batch !== null && batch.seq <= s.seq) return { batch, gap: null };
	overrun(o, s, i);
	return gapItem(o, s);
}

/**
 * overrun turns the batch s at i, which the ring has overwritten, into a gap,
 * together with those behind it that are gone, too, and that are not just
 * under way.
 */
function overrun(o: Outbox, s: Sent, i: number): void {
	const oldest = o.ring.oldest();
	const behind = o.sent.slice(i + 1);
	const kept = behind.findIndex((b) => b.last >= oldest || !(b.due || b.received));
	const gone = o.sent.splice(i + 1, kept < 0 ? behind.length : kept);
	for (const { due, hole, size } of gone) {
		o.flight.used -= size;
		if (due || hole) o.flagged--;
	}
	o.flight.used -= s.size;
	s.gap = true;
	s.size = 0;
	s.last = gone.at(-1)?.last ?? s.last;
	if (i === o.sent.length - 1 && o.unsent < oldest) {
		s.last = oldest - 1;
		o.unsent = oldest;
	}
}

/** advance sends the next batch for the first time, or a gap up to it. */
function advance(o: Outbox, now: number): Item | null {
	const batch = o.ring.from(o.unsent);
	if (batch === null) return skip(o, now, o.ring.head);
	if (batch.seq > o.unsent) return skip(o, now, batch.seq - 1);
	if (!o.fits(batch)) return null;
	o.fly(now, batch);
	return { batch, gap: null };
}

/** skip sends a gap in the place of what is gone, up to last. As long as what is behind it finds no room it becomes longer. */
function skip(o: Outbox, now: number, last: number): Item | null {
	const s = o.sent.at(-1);
	if (s?.gap && s.last + 1 === o.unsent) {
		if (s.due || s.hole) o.flagged--;
		Object.assign(s, { last, at: now, due: false, hole: false, received: false });
		o.unsent = last + 1;
		return gapItem(o, s);
	}
	if (o.sent.length >= MAX_UNACKED) return null;
	return gapItem(o, o.push(now, last, 0));
}

function gapItem(o: Outbox, s: Sent): Item {
	const gap = { stream: o.stream, epoch: o.ring.epoch, from: s.seq, to: s.last, reason: GAP_REASONS.ring };
	return { batch: null, gap };
}
