import type { Drive, Target, Tick } from "../wire";
import type { Axis } from "./message";

/** A Drive is sent this often at least, and with a change not more often than that, in ms. One that changes nothing holds up none that does. */
const EVERY = 50;
const LEAST = 10;
/** A hand that did not move on for so long is not there, in ms. */
const HAND = 150;
/** That the setpoints are no longer obeyed may have been said this long before the hand came, beside two round trips, in ms. */
const CROSSED = 100;

/** Surroundings are what a Drive is made of, beside the hand. */
export interface Surroundings {
	fence: number; // of the lease; 0: it is not this page's
	tick: Tick | null;
	axes: readonly Axis[];
	moving: boolean; // the device obeys setpoints
	rtt: number; // ms
}

/**
 * Driver decides when which Drive is sent (section 10.4). Pure: it is told what
 * the hand does. Without a hand that moves on there is none: it cannot make one.
 *
 * A hand that comes is neutral until the device obeys; the device obeys after a
 * neutral one only. When the device stops to obey under a hand, that hand
 * has to let go first: nothing starts by itself.
 */
export class Driver {
	private seq = 0;
	private hand = 0;
	private advanced = -Infinity; // when the hand moved on
	private came = 0; // when it did after it was not there
	private targets: readonly Target[] = [];
	private rests = true; // the targets are all neutral: a hand that lets go leaves them so
	private state: "neutral" | "driving" | "tripped" = "neutral";
	private sentAt = -Infinity;
	private newsAt = -Infinity; // when a change was sent last
	private changed = false;

	/** first is the first sequence number: above those of an earlier life of the same lease. */
	constructor(first: number) {
		this.seq = first;
	}

	/** take is what the page's input code says: the hand's counter, and where the axes are to go. A counter that stands still is no hand. */
	take(now: number, hand: number, targets: readonly Target[], axes: readonly Axis[]): void {
		if (hand <= this.hand) return;
		// One that was not heard of for a while, as of a page that hung, but did not let go, has not come anew.
		if (!this.present(now) && this.rests) {
			this.came = now;
			this.state = "neutral";
		}
		this.rests = targets.every(({ axis, value }) => axes.find(({ id }) => id === axis)?.neutral === value);
		this.hand = hand;
		this.advanced = now;
		this.changed ||= !same(targets, this.targets);
		this.targets = targets;
	}

	/** present says whether a hand is there. */
	present(now: number): boolean {
		return now < this.advanced + HAND;
	}

	/** tripped: the device does not obey the hand that is there. It has to let go. */
	get tripped(): boolean {
		return this.state === "tripped";
	}

	/** step gives what is to be sent now; null: nothing. */
	step(now: number, around: Surroundings): Drive | null {
		if (!this.may(now, around)) return null;
		this.settle(now, around);
		if (now < this.due()) return null;
		if (this.changed) this.newsAt = now;
		this.sentAt = now;
		this.changed = false;
		const setpoints = around.axes.map((axis) => ({ axis: axis.id, value: this.value(axis) }));
		return { fence: around.fence, seq: ++this.seq, hand: this.hand, tick: around.tick, setpoints };
	}

	wake(now: number, around: Surroundings): number {
		return this.may(now, around) ? this.due() : Infinity;
	}

	private due(): number {
		return this.changed ? this.newsAt + LEAST : this.sentAt + EVERY;
	}

	private may(now: number, around: Surroundings): around is Surroundings & { tick: Tick } {
		return this.present(now) && around.fence !== 0 && around.tick !== null;
	}

	private settle(now: number, { moving, rtt }: Surroundings): void {
		if (this.state === "neutral" && moving) {
			this.state = "driving";
			this.changed = true;
		} else if (this.state === "driving" && !moving) {
			// Said before the hand came, it is about the one before it.
			this.state = now < this.came + 2 * rtt + CROSSED ? "neutral" : "tripped";
			this.changed = true;
		}
	}

	private value({ id, min, max, neutral }: Axis): number {
		const value = this.targets.find(({ axis }) => axis === id)?.value;
		if (this.state === "neutral" || value === undefined || !Number.isFinite(value)) return neutral;
		return Math.min(max, Math.max(min, value));
	}
}

function same(a: readonly Target[], b: readonly Target[]): boolean {
	return a.length === b.length && a.every(({ axis, value }, i) => b[i]?.axis === axis && b[i]?.value === value);
}
