import { height, type Rung } from "../peer/ladder";
import type { Batch } from "../peer/telemetry";
import { plain } from "../peer/wire";
import type { FromWorker, Part } from "../port";

/**
 * Samples that wait for the page, in numbers of 8 bytes: 16 MiB. A hidden tab
 * may pull but once a minute; sixty streams of 100 samples a second, three
 * numbers each, make half of this in that time.
 */
const MAX_NUMBERS = 2 ** 21;
/** Texts that wait for the page: one may have 8 KiB, most have a line. */
const MAX_TEXTS = 2 ** 14;
/** What is left after dropping, as a share: so that dropping is rare. */
const KEEP = 0.5;
const FIRST_CAPACITY = 2 ** 12;

/** Collected says whose batch it is and how its samples came. */
export interface Collected {
	stream: number;
	epoch: string;
	seq: number; // of the batch's first sample
	skip: number;
	take: number;
	retainedMs: number | null;
	late: boolean;
	restored: boolean;
	rung?: Rung;
	past?: true;
	event: boolean; // must not be dropped in silence
	shift: number; // ms to add to the times
}

/** Hole is a range of Events that the page will not get, because it did not fetch them in time. */
export interface Hole {
	stream: number;
	epoch: string;
	from: number;
	to: number;
}

/** Copied are samples that came once more. */
export interface Copied {
	stream: number;
	epoch: string;
	seq: number;
	count: number;
}

type Samples = Extract<FromWorker, { type: "samples" }>;

/**
 * Collector gathers batches in columns until the page pulls them: one array a
 * frame, however many streams. When nobody pulls it stays bounded: the oldest
 * Live samples go first, and are counted; then the oldest Events, as holes.
 */
export class Collector {
	private data = new Float64Array(FIRST_CAPACITY);
	private used = 0;
	private parts: { part: Part; event: boolean }[] = [];
	private texts: string[] = [];
	private dropped = 0;

	constructor(private readonly onHole: (hole: Hole) => void) {}

	add(batch: Batch, of: Collected): void {
		if (of.take <= 0) return;
		this.reserve(of.take * 3);
		const { stream, epoch, retainedMs, late, restored, take: n } = of;
		const seq = this.column(n, (i) => of.seq + of.skip + i);
		const t = this.column(n, (i) => (batch.t[of.skip + i] ?? 0) / 1000 + of.shift);
		const v = this.numbers(batch, of);
		const past = of.past === undefined ? {} : { past: of.past };
		const rung = of.rung === undefined ? {} : { rung: of.rung };
		const part: Part = {
			stream,
			epoch,
			n,
			seq,
			t,
			v,
			text: this.words(batch, of),
			retainedMs,
			late,
			restored,
			...rung,
			...past,
		};
		this.parts.push({ part, event: of.event });
		if (this.used > MAX_NUMBERS || this.texts.length > MAX_TEXTS) this.shrink();
	}

	/** copy notes that samples which wait here came on this rung as well. The copies come soon behind one another: they are near the end. */
	copy({ stream, epoch, seq, count }: Copied, rung: Rung): void {
		for (let i = this.parts.length - 1; i >= 0; i--) {
			const part = this.parts[i]?.part;
			if (part?.rung === undefined || part.stream !== stream || part.epoch !== epoch) continue;
			const first = this.data[part.seq] ?? 0;
			if (first + part.n <= seq) return; // older ones, and so are those before
			const whole = first >= seq && first + part.n <= seq + count;
			if (whole && height(rung) < height(part.rung)) part.rung = rung;
		}
	}

	/** hasRoom says whether something that can come later may come now: live samples have most of the room for themselves. */
	hasRoom(): boolean {
		return this.used < MAX_NUMBERS / 4 && this.texts.length < MAX_TEXTS / 4;
	}

	/** take is everything gathered since the last call; null: nothing. */
	take(): Samples | null {
		if (this.parts.length === 0 && this.dropped === 0) return null;
		const data = this.data.slice(0, this.used);
		const parts = this.parts.map((p) => p.part);
		const dropped = this.dropped === 0 ? {} : { dropped: this.dropped };
		const samples: Samples = { type: "samples", parts, data, texts: this.texts, ...dropped };
		this.clear();
		return samples;
	}

	clear(): void {
		this.used = 0;
		this.parts = [];
		this.texts = [];
		this.dropped = 0;
		if (this.data.length > MAX_NUMBERS / 4) this.data = new Float64Array(FIRST_CAPACITY);
	}

	private column(n: number, at: (i: number) => number): number {
		const offset = this.used;
		for (let i = 0; i < n; i++) this.data[offset + i] = at(i);
		this.used += n;
		return offset;
	}

	private numbers(batch: Batch, { skip, take }: Collected): number {
		if (batch.kind === "text") return -1;
		if (batch.kind === "bytes") return this.column(take, (i) => batch.blobs[skip + i]?.length ?? 0);
		return this.column(take, (i) => batch.numbers[skip + i] ?? 0);
	}

	private words(batch: Batch, { skip, take }: Collected): number {
		if (batch.kind !== "text") return -1;
		const offset = this.texts.length;
		this.texts.push(...batch.texts.slice(skip, skip + take).map(plain));
		return offset;
	}

	private reserve(numbers: number): void {
		const needed = this.used + numbers;
		if (needed <= this.data.length) return;
		const grown = new Float64Array(Math.max(needed, this.data.length * 2));
		grown.set(this.data.subarray(0, this.used));
		this.data = grown;
	}

	/** shrink drops the oldest until there is room again: Live first, Events only if that is not enough. */
	private shrink(): void {
		const excess = () => this.used > MAX_NUMBERS * KEEP || this.texts.length > MAX_TEXTS * KEEP;
		for (const events of [false, true]) {
			if (excess()) this.dropOldest(events);
		}
	}

	private dropOldest(events: boolean): void {
		let numbers = this.used - MAX_NUMBERS * KEEP;
		let texts = this.texts.length - MAX_TEXTS * KEEP;
		const kept = this.parts.filter(({ part, event }) => {
			if (event !== events || (numbers <= 0 && texts <= 0)) return true;
			numbers -= columns(part) * part.n;
			if (part.text >= 0) texts -= part.n;
			this.drop(part, event);
			return false;
		});
		this.rebuild(kept);
	}

	private drop(part: Part, event: boolean): void {
		this.dropped += part.n;
		if (!event) return;
		const from = this.data[part.seq] ?? 0;
		this.onHole({ stream: part.stream, epoch: part.epoch, from, to: from + part.n - 1 });
	}

	/** rebuild moves what is kept to the front. Parts stay in order, so that nothing is overwritten before it moved. */
	private rebuild(kept: { part: Part; event: boolean }[]): void {
		const texts: string[] = [];
		this.used = 0;
		for (const { part } of kept) {
			part.seq = this.move(part.seq, part.n);
			part.t = this.move(part.t, part.n);
			if (part.v >= 0) part.v = this.move(part.v, part.n);
			if (part.text < 0) continue;
			const words = this.texts.slice(part.text, part.text + part.n);
			part.text = texts.length;
			texts.push(...words);
		}
		this.texts = texts;
		this.parts = kept;
	}

	private move(from: number, n: number): number {
		const to = this.used;
		this.data.copyWithin(to, from, from + n);
		this.used += n;
		return to;
	}
}

function columns(part: Part): number {
	return part.v >= 0 ? 3 : 2;
}
