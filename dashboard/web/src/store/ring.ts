import { merge } from "./merge";

/** Columns are samples of a stream by themselves. */
export interface Columns {
	seqs: Float64Array;
	times: Float64Array;
	values: Float64Array;
	breaks: Uint8Array;
}

/**
 * Ring holds the newest samples of one stream in columns: sequence number,
 * time, value. Nothing is allocated per sample; the columns double as they
 * fill, up to a bound in bytes, and then the oldest samples are overwritten.
 *
 *     row     0        1        2              count-1
 *     seq     17       18       21   …         (a hole in seq: samples that did not come)
 *     broken  0        0        0              (1: a new epoch, or a gap of unknown length, before this row)
 *
 * Rows are ordered by epoch of arrival, then by sequence number: what comes
 * late is moved to its place.
 */
export class Ring {
	/** Number of rows held. */
	count = 0;
	/** Rows ever appended; grows for ever. */
	total = 0;

	private head = 0; // physical index of row 0
	private capacity: number;
	private readonly limit: number;
	private seqs: Float64Array;
	private times: Float64Array;
	private values: Float64Array;
	private breaks: Uint8Array;
	private epochStart = 0; // row at which the newest epoch begins
	private breakNext = false;
	private touched = Number.POSITIVE_INFINITY;

	/** limitBytes bounds the columns; at least some hundred rows are always held. */
	constructor(limitBytes: number) {
		this.limit = powerOfTwoBelow(Math.max(limitBytes / BYTES_PER_ROW, SMALLEST));
		this.capacity = Math.min(SMALLEST, this.limit);
		this.seqs = new Float64Array(this.capacity);
		this.times = new Float64Array(this.capacity);
		this.values = new Float64Array(this.capacity);
		this.breaks = new Uint8Array(this.capacity);
	}

	seq(row: number): number {
		return this.seqs[this.at(row)] as number;
	}

	/** time is ms since the Unix epoch on the device's clock. */
	time(row: number): number {
		return this.times[this.at(row)] as number;
	}

	value(row: number): number {
		return this.values[this.at(row)] as number;
	}

	/** missing is how many samples lack between a row and the one before it: 0 none, −1 an unknown number. */
	missing(row: number): number {
		if (row === 0) return 0;
		if (this.breaks[this.at(row)] === 1) return -1;
		return this.seq(row) - this.seq(row - 1) - 1;
	}

	/** startEpoch says that what follows is numbered anew. */
	startEpoch(): void {
		this.breakNext = this.count > 0;
		this.epochStart = this.count;
	}

	/** breakHere says that an unknown number of samples will be missing before the next one. */
	breakHere(): void {
		this.breakNext = this.count > 0;
	}

	/** add puts a sample in its place; false: it was there already, or is older than what is held. */
	add(seq: number, time: number, value: number): boolean {
		const row = this.place(seq);
		if (row < 0) return false;
		if (this.count === this.capacity && !this.makeRoom()) return this.addFull(seq, time, value);
		this.insert(row, seq, time, value);
		return true;
	}

	/** firstAt is the first row at or after a time; count when there is none. */
	firstAt(time: number): number {
		let low = 0;
		let high = this.count;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.time(middle) < time) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** copy takes a copy of the columns from a row on. */
	copy(from: number): Columns {
		const rows = this.count - from;
		return {
			seqs: this.unrolled(this.seqs, from, new Float64Array(rows)),
			times: this.unrolled(this.times, from, new Float64Array(rows)),
			values: this.unrolled(this.values, from, new Float64Array(rows)),
			breaks: this.unrolled(this.breaks, from, new Uint8Array(rows)),
		};
	}

	/** append puts back what was copied, behind what is here. Each break counts as a new epoch: nothing comes late before it. */
	append({ seqs, times, values, breaks }: Columns): void {
		for (let i = 0; i < seqs.length; i++) {
			if (breaks[i] === 1) this.startEpoch();
			this.add(seqs[i] as number, times[i] as number, values[i] as number);
		}
	}

	/**
	 * fill puts samples in their places, where they are not there already: those
	 * of earlier epochs by time, those of the newest by number. It rebuilds the
	 * columns, so it is for many at once.
	 */
	fill(before: Columns, current: Columns): void {
		const held = this.copy(0);
		const { epochStart: split, breakNext } = this;
		const old = merge(part(held, 0, split), before, "times");
		const now = merge(part(held, split, this.count), current, "seqs");
		this.replace(old, now);
		this.breakNext = now.seqs.length === 0 ? this.count > 0 : breakNext;
	}

	/** move adds ms to the times of the rows from … to − 1. All that is drawn has to be counted again. */
	move(from: number, to: number, ms: number): void {
		for (let row = from; row < to; row++) {
			const at = this.at(row);
			this.times[at] = (this.times[at] as number) + ms;
		}
		if (to > from) this.touched = Number.NEGATIVE_INFINITY;
	}

	/** behindLast is the row behind the last one whose time answers to a condition; 0: there is none. */
	behindLast(is: (time: number) => boolean): number {
		let row = this.count;
		while (row > 0 && !is(this.time(row - 1))) row--;
		return row;
	}

	/** takeTouched is the earliest time at which something changed since the last call; +∞: nothing did; −∞: everything. */
	takeTouched(): number {
		const time = this.touched;
		this.touched = Number.POSITIVE_INFINITY;
		return time;
	}

	/** replace makes these the rows, the newest of them as far as there is room: those of earlier epochs, and those of the newest. */
	private replace(old: Columns, now: Columns): void {
		const rows = old.seqs.length;
		this.total = rows + now.seqs.length;
		this.count = Math.min(this.total, this.limit);
		while (this.capacity < this.count) this.capacity *= 2;
		this.head = 0;
		const beyond = this.total - this.count;
		this.seqs = joined(old.seqs, now.seqs, beyond, new Float64Array(this.capacity));
		this.times = joined(old.times, now.times, beyond, new Float64Array(this.capacity));
		this.values = joined(old.values, now.values, beyond, new Float64Array(this.capacity));
		this.breaks = joined(old.breaks, now.breaks, beyond, new Uint8Array(this.capacity));
		if (rows > beyond && rows < this.total) this.breaks[rows - beyond] = 1;
		this.epochStart = Math.max(0, rows + Math.max(0, now.breaks.lastIndexOf(1)) - beyond);
		this.touched = Number.NEGATIVE_INFINITY;
	}

	private at(row: number): number {
		return (this.head + row) & (this.capacity - 1);
	}

	/** place finds the row for a sequence number, from the end: nearly all samples are the newest. −1: known or too old. */
	private place(seq: number): number {
		let row = this.count;
		while (row > this.epochStart && this.seq(row - 1) > seq) row--;
		if (row > this.epochStart && this.seq(row - 1) === seq) return -1;
		return row === 0 && this.total > this.count && this.count > 0 ? -1 : row;
	}

	private insert(row: number, seq: number, time: number, value: number): void {
		for (let i = this.count; i > row; i--) this.copyRow(this.at(i - 1), this.at(i));
		const at = this.at(row);
		this.seqs[at] = seq;
		this.times[at] = time;
		this.values[at] = value;
		this.breaks[at] = this.takeBreak(row);
		this.count++;
		this.total++;
		if (time < this.touched) this.touched = time;
	}

	/** A sample put at the very start of an epoch takes the break over from the one that stood there. */
	private takeBreak(row: number): number {
		const after = this.at(row + 1);
		if (row < this.count && row === this.epochStart) {
			const inherited = this.breaks[after] as number;
			this.breaks[after] = 0;
			return inherited;
		}
		if (row < this.count || !this.breakNext) return 0;
		this.breakNext = false;
		return 1;
	}

	private copyRow(from: number, to: number): void {
		this.seqs[to] = this.seqs[from] as number;
		this.times[to] = this.times[from] as number;
		this.values[to] = this.values[from] as number;
		this.breaks[to] = this.breaks[from] as number;
	}

	private addFull(seq: number, time: number, value: number): boolean {
		this.head = (this.head + 1) & (this.capacity - 1);
		this.count--;
		this.epochStart = Math.max(0, this.epochStart - 1);
		const row = this.place(seq);
		if (row >= 0) this.insert(row, seq, time, value);
		return row >= 0;
	}

	/** makeRoom doubles the columns; false: they are as large as they may be. */
	private makeRoom(): boolean {
		if (this.capacity >= this.limit) return false;
		this.seqs = this.unrolled(this.seqs, 0, new Float64Array(this.capacity * 2));
		this.times = this.unrolled(this.times, 0, new Float64Array(this.capacity * 2));
		this.values = this.unrolled(this.values, 0, new Float64Array(this.capacity * 2));
		this.breaks = this.unrolled(this.breaks, 0, new Uint8Array(this.capacity * 2));
		this.head = 0;
		this.capacity *= 2;
		return true;
	}

	/** unrolled copies a column from a row on to the front of another one. */
	private unrolled<A extends Float64Array | Uint8Array>(column: A, row: number, to: A): A {
		const rows = this.count - row;
		if (rows <= 0) return to;
		const start = this.at(row);
		const first = Math.min(rows, this.capacity - start);
		to.set(column.subarray(start, start + first), 0);
		to.set(column.subarray(0, rows - first), first);
		return to;
	}
}

/** joined copies two columns, the second behind the first, to the front of another one, without the first rows. */
function joined<A extends Float64Array | Uint8Array>(old: A, now: A, without: number, to: A): A {
	to.set(old.subarray(without), 0);
	to.set(now.subarray(Math.max(0, without - old.length)), Math.max(0, old.length - without));
	return to;
}

function part({ seqs, times, values, breaks }: Columns, from: number, to: number): Columns {
	return {
		seqs: seqs.subarray(from, to),
		times: times.subarray(from, to),
		values: values.subarray(from, to),
		breaks: breaks.subarray(from, to),
	};
}

const BYTES_PER_ROW = 25;
/** Rows that a ring begins with and holds at least. */
const SMALLEST = 512;

function powerOfTwoBelow(rows: number): number {
	return 2 ** Math.floor(Math.log2(rows));
}
