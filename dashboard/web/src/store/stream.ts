import type { FromWorker, Part, StreamInfo } from "../port";
import { Log } from "./log";
import { Past } from "./past";
import { type Columns, Ring } from "./ring";
import { isAhead, isBefore, isUnset, Turns } from "./turns";

/** Periods without a sample after which a stream counts as stale. */
const STALE_PERIODS = 3;
/** A stream is not called stale earlier than this (ms): below it, the network's jitter would show. */
const STALE_FLOOR_MS = 1_000;

export type Gap = Extract<FromWorker, { type: "gap" }>;

/** Contact is what all streams of a device share: whether anything can come at all. */
export interface Contact {
	/** Device's time since which no path leads to the device; null: there is one. */
	lostAt: number | null;
}

/** Latest is a stream's current value. It never goes backward. */
export interface Latest {
	seq: number;
	/** ms since the Unix epoch on the device's clock; NaN: nothing came yet. */
	time: number;
	value: number;
	text: string;
	/** It was kept by the server or the device, and is no live sample. */
	retained: boolean;
}

/** StreamStore keeps what came of one stream. */
export class StreamStore {
	readonly ring: Ring;
	readonly log = new Log();
	/** What came of the device's spool, until fill puts it in its place. */
	readonly past = new Past();
	readonly latest: Latest = { seq: 0, time: Number.NaN, value: Number.NaN, text: "", retained: false };
	/** Samples that a gap declared lost or that no gap explains (−1 is never stored here). */
	missing = 0;
	/** No value has had a fraction: none is shown. */
	whole = true;
	private epoch = "";
	private readonly turns = new Turns();

	constructor(
		public info: StreamInfo,
		limitBytes: number,
		private readonly contact: Contact = { lostAt: null },
	) {
		this.ring = new Ring(limitBytes);
	}

	/** accept stores one part; it returns how many samples were new. */
	accept(part: Part, data: Float64Array, texts: readonly string[]): number {
		if (part.epoch !== this.epoch && !this.enter(part)) return 0;
		let fresh = 0;
		for (let i = 0; i < part.n; i++) if (this.add(part, i, data, texts)) fresh++;
		return fresh;
	}

	/** gap notes what will never come. Holes of known length show by themselves, in the sequence numbers. */
	gap({ epoch, from, to, reason }: Gap): void {
		const missing = to === null ? -1 : to - from + 1;
		if (missing > 0) this.missing += missing;
		if (this.info.meta.kind === "text") {
			// An end is told late, when what follows may be here already; any other gap before what follows it.
			const other = reason === "restart" ? "before" : "after";
			this.log.addGap({ seq: to ?? from, missing, text: reason }, epoch === this.epoch ? "this" : other);
		} else if (to === null) this.ring.breakHere();
	}

	/** staleAfter is the silence in ms after which the stream is stale; null: it has no period, so silence says nothing. */
	staleAfter(): number | null {
		const period = this.info.meta.periodMs;
		return period === null || period <= 0 ? null : Math.max(STALE_PERIODS * period, STALE_FLOOR_MS);
	}

	/**
	 * isStale tells whether the current value is no longer one; now is the
	 * device's time. A stream without a period is stale once contact is lost.
	 */
	isStale(now: number): boolean {
		const after = this.staleAfter();
		if (after !== null) return now - this.latest.time > after;
		const { lostAt } = this.contact;
		return lostAt !== null && now - lostAt > STALE_FLOOR_MS;
	}

	/** heldUntil is how long the newest value of an on/off stream is known to have held. */
	heldUntil(now: number): number {
		if (!this.isStale(now)) return now;
		return Math.max(this.latest.time, this.staleAfter() === null ? (this.contact.lostAt ?? now) : 0);
	}

	/** valueAt is the sample nearest to a time, or the one that held then; NaN inside a gap and outside of what is held. */
	valueAt(time: number): number {
		const after = this.ring.firstAt(time);
		const before = after - 1;
		if (this.info.meta.kind === "bool") return before < 0 ? Number.NaN : this.ring.value(before);
		const ahead = after < this.ring.count ? this.ring.time(after) - time : Number.POSITIVE_INFINITY;
		const behind = before >= 0 ? time - this.ring.time(before) : Number.POSITIVE_INFINITY;
		const distance = Math.min(ahead, behind);
		const patience = this.patience() || Number.POSITIVE_INFINITY;
		if (!Number.isFinite(distance) || distance > patience) return Number.NaN;
		return this.ring.value(ahead < behind ? after : before);
	}

	/** patience is the silence in ms after which no line joins two samples; 0: any. */
	patience(): number {
		const period = this.info.meta.periodMs;
		return period === null || period <= 0 ? 0 : STALE_PERIODS * period;
	}

	/** copy is what came since a time, at most so many rows of it, with its epoch; null: nothing. */
	copy(since: number, limit: number): { epoch: string; columns: Columns } | null {
		const from = Math.max(this.ring.firstAt(since), this.ring.count - limit);
		return from >= this.ring.count ? null : { epoch: this.epoch, columns: this.ring.copy(from) };
	}

	/** restore puts back what was copied before anything new has come. Its newest value is shown as a kept one. */
	restore(epoch: string, columns: Columns): void {
		this.ring.append(columns);
		this.epoch = epoch;
		const row = this.ring.count - 1;
		for (const value of columns.values) if (!Number.isInteger(value)) this.whole = false;
		if (row >= 0) this.setLatest(this.ring.seq(row), this.ring.time(row), this.ring.value(row), "", true);
	}

	/** place is the newest sample of the chart; epoch "": there is none. */
	place(): { epoch: string; seq: number } {
		const row = this.ring.count - 1;
		return row < 0 ? { epoch: "", seq: 0 } : { epoch: this.epoch, seq: this.ring.seq(row) };
	}

	/** addPast keeps what comes of the device's spool until fill. */
	addPast(part: Part, data: Float64Array): void {
		this.past.add(part, data, (seq) => this.turns.shift(part.epoch, seq, this.epoch));
	}

	/**
	 * clockSet: the device's clock was set by ms, and shows now. What was stamped
	 * before is moved as far, so that all of it lies where it was made.
	 */
	clockSet(ms: number, now: number): void {
		this.fill();
		const is = (time: number) => isBefore(time, ms, now);
		const rows = this.ring.behindLast(is);
		const lines = this.log.lines.findLastIndex(({ time }) => is(time)) + 1;
		this.ring.move(0, rows, ms);
		this.log.move(lines, ms);
		const next = this.info.meta.kind === "text" ? this.log.lines[lines]?.seq : this.seqAt(rows);
		this.turns.add({ epoch: this.epoch, seq: next ?? this.latest.seq + 1, ms });
		if (is(this.latest.time)) this.latest.time += ms;
	}

	/**
	 * settle is for a clock that was set while nobody measured it: times that lie
	 * ahead of it now, and those of a board that began in 1970 and was set in the
	 * same run. They end where what came next begins: nothing better is known.
	 */
	settle(now: number): void {
		const { ring } = this;
		let from = 0;
		let to = ring.behindLast((time) => isAhead(time, now));
		if (to === 0) {
			to = ring.behindLast((time) => isUnset(time, now));
			if (to === 0 || to === ring.count || ring.missing(to) < 0) return;
			for (from = to - 1; from > 0 && ring.missing(from) >= 0; from--);
		}
		const ms = (to < ring.count ? ring.time(to) : now) - ring.time(to - 1);
		ring.move(from, to, ms);
		this.turns.add({ epoch: this.epoch, seq: this.seqAt(to) ?? this.latest.seq + 1, ms });
		if (to === ring.count) this.latest.time += ms;
	}

	private seqAt(row: number): number | undefined {
		return row < this.ring.count ? this.ring.seq(row) : undefined;
	}

	/** fill puts what came of the past into the chart, where it is not there already. */
	fill(): void {
		if (this.past.count === 0 || this.info.meta.kind === "text") {
			this.past.clear();
			return;
		}
		if (this.epoch === "") this.epoch = this.past.lastEpoch;
		const { before, current } = this.past.take(this.epoch);
		this.ring.fill(before, current);
		for (const { values } of [before, current])
			if (values.some((value) => !Number.isInteger(value))) this.whole = false;
	}

	/** A late part of another epoch belongs to a producer that is gone: nothing may go backward for it. */
	private enter(part: Part): boolean {
		if (part.late && this.epoch !== "") return false;
		this.epoch = part.epoch;
		this.ring.startEpoch();
		this.log.startEpoch();
		this.latest.seq = 0;
		return true;
	}

	private add(part: Part, i: number, data: Float64Array, texts: readonly string[]): boolean {
		const seq = data[part.seq + i] as number;
		const time = (data[part.t + i] as number) + this.turns.shift(part.epoch, seq, this.epoch);
		const text = part.text < 0 ? "" : (texts[part.text + i] ?? "");
		const value = part.v < 0 ? Number.NaN : (data[part.v + i] as number);
		const isNew = this.info.meta.kind === "text" ? this.log.add(seq, time, text) : this.ring.add(seq, time, value);
		if (this.whole && !Number.isInteger(value)) this.whole = false;
		if (isNew && seq > this.latest.seq) this.setLatest(seq, time, value, text, part.retainedMs !== null);
		return isNew;
	}

	private setLatest(seq: number, time: number, value: number, text: string, retained: boolean): void {
		const latest = this.latest;
		latest.seq = seq;
		latest.time = time;
		latest.value = value;
		latest.text = text;
		latest.retained = retained;
	}
}
