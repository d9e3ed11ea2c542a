import type { Ring } from "./ring";

/**
 * Buckets reduce a stream to at most one low and one high value a pixel, so
 * that drawing costs the same for a minute and for half an hour.
 *
 * Buckets lie on a fixed grid of time (bucket k begins at k × width), so that
 * nothing flickers while the window moves, and only buckets whose samples
 * changed are counted again. They are kept in a ring of slots, slot = k mod
 * size; a slot whose key is not k holds nothing for k.
 */
export class Buckets {
	readonly key: Float64Array;
	readonly low: Float64Array;
	readonly high: Float64Array;
	readonly first: Float64Array;
	readonly last: Float64Array;
	readonly firstTime: Float64Array;
	/** Where the gap before a broken bucket begins: the time of the sample before it. */
	readonly gapStart: Float64Array;
	/** 1: something is missing between the bucket before and this one, so no line joins them. */
	readonly broken: Uint8Array;
	readonly size: number;

	private from = 0; // buckets from … to are counted; none when to < from
	private to = -1;

	/**
	 * width is a bucket's time in ms, span the number of buckets seen at once,
	 * patience the silence in ms after which no line joins two samples (0: any).
	 */
	constructor(
		readonly width: number,
		span: number,
		private readonly patience: number,
	) {
		this.size = 2 ** Math.ceil(Math.log2(2 * span + 8));
		this.key = new Float64Array(this.size).fill(Number.NaN);
		this.low = new Float64Array(this.size);
		this.high = new Float64Array(this.size);
		this.first = new Float64Array(this.size);
		this.last = new Float64Array(this.size);
		this.firstTime = new Float64Array(this.size);
		this.gapStart = new Float64Array(this.size);
		this.broken = new Uint8Array(this.size);
	}

	index(time: number): number {
		return Math.floor(time / this.width);
	}

	slot(k: number): number {
		return ((k % this.size) + this.size) % this.size;
	}

	/** has reports whether a sample lies in bucket k. */
	has(k: number): boolean {
		return this.key[this.slot(k)] === k;
	}

	/** refresh counts what is not counted yet between two times. */
	refresh(ring: Ring, start: number, end: number): void {
		const first = this.index(start);
		const last = this.index(end);
		this.to = Math.min(this.to, this.index(ring.takeTouched()) - 1);
		if (first < this.from || first > this.to + 1) {
			this.from = first;
			this.to = first - 1;
		}
		if (last <= this.to) return;
		this.count(ring, this.to + 1, last);
		this.to = last;
		this.from = Math.max(this.from, last - this.size + 1);
	}

	private count(ring: Ring, first: number, last: number): void {
		for (let k = Math.max(first, last - this.size + 1); k <= last; k++) this.key[this.slot(k)] = Number.NaN;
		const end = (last + 1) * this.width;
		for (let row = ring.firstAt(first * this.width); row < ring.count; row++) {
			const time = ring.time(row);
			if (time >= end) break;
			this.put(ring, row, time);
		}
	}

	private put(ring: Ring, row: number, time: number): void {
		const k = this.index(time);
		const slot = this.slot(k);
		const value = ring.value(row);
		if (this.key[slot] !== k) {
			this.key[slot] = k;
			this.low[slot] = this.high[slot] = this.first[slot] = value;
			this.firstTime[slot] = time;
			this.broken[slot] = this.breaks(ring, row) ? 1 : 0;
			this.gapStart[slot] = row > 0 ? ring.time(row - 1) : time;
		} else if (value < (this.low[slot] as number)) this.low[slot] = value;
		else if (value > (this.high[slot] as number)) this.high[slot] = value;
		this.last[slot] = value;
	}

	/** breaks tells whether no line joins a row and the one before it. A hole narrower than a bucket could not be seen. */
	breaks(ring: Ring, row: number): boolean {
		if (row === 0) return false;
		const silence = ring.time(row) - ring.time(row - 1);
		if (silence < this.width) return false;
		return ring.missing(row) !== 0 || (this.patience > 0 && silence > this.patience);
	}
}
