import { type Delivery, Early, Inbox, type Samples } from "../session";
import { type EpochSeq, formatPosition, type Stream } from "../signal";
import { type DropReason, GAP_REASONS, type Gap, type Header, type Hop, MAX_STREAMS, type Position } from "../wire";
import { Kept } from "./kept";
import type { Tail, Tails } from "./tails";

/** Received is one batch, or the part of it that is new, as the application gets it. */
export interface Received {
	stream: Stream;
	header: Header;
	payload: Uint8Array;
	skip: number; // samples at the front that were delivered before
	take: number; // samples from there on that are new
	late: boolean; // newer ones of this stream came first
	retainedMs: number | null; // how long it had been kept; null: it is no retained value
}

/** Arrival is what is known of a Data frame beside its header and payload. */
export interface Arrival {
	now: number;
	hop: Hop;
	ageMs: number; // of its samples when it came; below 0: unknown
	path: number;
}

interface Entry {
	stream: Stream;
	epoch: number;
	inbox: Inbox | null; // null: an Event stream whose start the device has not told yet
	kept: Kept;
	path: number; // that the newest data came on: it is acknowledged there too
	final: number | null; // the device ended on purpose, with this as its last sample; null: it did not
	sought: number; // the spool was asked for this sample, which the ring had no more; 0: for none
}

/** Resume is how far an Event stream got in an earlier life of this viewer, to go on from there. */
export interface Resume {
	id: number;
	name: string;
	epoch: number;
	seq: number;
	final: number | null; // the last sample of the epoch, if its end is known
}

/** How long samples may come behind the goodbye that overtook them in queues and on other paths, in ms. */
const BYE_GRACE = 2_000;

/**
 * How long the device's program may take to run again, when it keeps a spool, from which they come then, in ms. What came early waits as
 * long, so that it is not for ever.
 */
const SPOOL_GRACE = 600_000;

/** So many streams may wait for what is missing before: those of two runs. */
const MAX_TAILS = 2 * MAX_STREAMS;

/** StreamsEvents take what the streams deliver. */
export interface StreamsEvents {
	onBatch(batch: Received): void;
	onGap(stream: Stream, epoch: number, from: number, to: number | null, reason: number): void;
	/** an Event stream is delivered from behind this sample on. */
	onStart(stream: Stream, epoch: number, after: number): void;
	/** the device said goodbye: this is the last sample of the epoch. */
	onFinal(stream: Stream, epoch: number, seq: number): void;
	onDrop(reason: DropReason): void;
	/** data came that nobody described. */
	onUnknown(): void;
}

/** Streams is the table of a device's streams and of how far each was received. */
export class Streams {
	private readonly entries = new Map<number, Entry>();
	/** How far Event streams got in an earlier epoch, until the device tells where they begin in this one. */
	private readonly ended = new Map<number, EpochSeq>();
	private readonly out: Delivery[] = [];
	private early = new Early(); // what came early, in this epoch
	private epoch = 0;
	/** When what a goodbye overtook must have come. */
	private settleAt = Infinity;

	/** The device keeps a spool: what a run that was cut off lacks may still come. */
	keeps = false;

	/** Streams of an earlier life, by name, until the device tells where they begin in this one. */
	private readonly resumes = new Map<string, Resume>();

	constructor(
		private readonly events: StreamsEvents,
		/** Rests of earlier runs that may still come, from a device that keeps a spool. */
		private readonly tails: Tails,
		resumes: readonly Resume[] = [],
	) {
		for (const resume of resumes) this.resumes.set(resume.name, resume);
	}

	/** forgetResumes: they turn out to be another device's. */
	forgetResumes(): void {
		this.resumes.clear();
	}

	/** describe adds or replaces descriptions; a new epoch begins a new table. Call begin when these were told. */
	describe(now: number, epoch: number, streams: Stream[]): void {
		if (epoch !== this.epoch) this.end(now, epoch);
		for (const stream of streams) this.put(stream);
	}

	/** begin begins the delivery of the streams that can be delivered now. What an earlier life of this viewer lacks comes first. */
	begin(now: number): void {
		for (const entry of this.entries.values()) {
			this.resumeTail(now, entry.stream);
			this.endOrder(now, entry.stream);
			entry.inbox ??= this.inbox(entry.stream);
			if (entry.inbox !== null) this.ended.delete(entry.stream.id);
		}
	}

	/** list is all descriptions, by number. */
	list(): { epoch: number; streams: Stream[] } {
		const streams = [...this.entries.values()].map((entry) => entry.stream);
		return { epoch: this.epoch, streams: streams.sort((a, b) => a.id - b.id) };
	}

	/** data takes a batch, and says whether it is news of its stream's sequence. */
	data(header: Header, payload: Uint8Array, arrival: Arrival): boolean {
		const entry = this.entries.get(header.stream);
		if (entry === undefined) return this.unknown("unknown-stream");
		if (arrival.hop.retained || header.will) return this.retained(entry, header, payload, arrival);
		if (this.tails.waits(entry.stream.name) && entry.inbox === null) return false; // it comes again
		if (header.epoch !== entry.epoch) return this.unknown("old-epoch");
		if (entry.inbox === null) return this.unknown("unknown-stream");
		if (entry.kept.covers(header)) {
			this.events.onDrop("duplicate");
			return false;
		}
		entry.path = arrival.path;
		entry.kept.passed(header);
		const drop = entry.inbox.receive(arrival.now, header, payload, arrival.ageMs, this.out);
		if (drop !== "") this.events.onDrop(drop);
		this.deliver(entry);
		return drop === "";
	}

	/** gap takes what is declared missing; true: it is wanted from the spool first. */
	gap(now: number, gap: Gap): boolean {
		const entry = this.entries.get(gap.stream);
		if (entry?.inbox == null) return false;
		if (this.outlasted(now, entry, entry.inbox, gap)) return true;
		entry.inbox.gap(now, gap, this.out);
		this.deliver(entry);
		return false;
	}

	/**
	 * outlasted: what of this run the device's ring has no more is wanted from its spool. Where that had nothing the last
	 * time, the gap is one. What comes meanwhile waits in the inbox.
	 */
	private outlasted(now: number, entry: Entry, inbox: Inbox, { epoch, to, reason }: Gap): boolean {
		const { stream } = entry;
		if (!this.keeps || stream.class !== "event" || reason !== GAP_REASONS.ring || epoch !== entry.epoch) return false;
		if (this.tails.waits(stream.name)) {
			this.tails.lengthen(stream.name, to); // it is under way
			return true;
		}
		const { seq } = inbox.position();
		if (to <= seq || entry.sought === seq + 1) return false;
		entry.sought = seq + 1;
		this.waitFor(now, stream, { epoch, seq }, null, to);
		return true;
	}

	/** hasPassed reports whether a stream of this run got beyond a sample. */
	hasPassed({ id }: Stream, { epoch, seq }: EpochSeq): boolean {
		const entry = this.entries.get(id);
		return entry?.inbox != null && entry.epoch === epoch && entry.inbox.hasPassed(seq);
	}

	/** tail takes a batch from the spool: between others of this run, or of one before which the new one waits for. */
	tail(now: number, stream: Stream, header: Header, payload: Uint8Array, skip: number): void {
		const entry = this.entries.get(stream.id);
		if (entry?.inbox == null) {
			const part = { skip, take: header.count - skip, late: false, retainedMs: null };
			this.events.onBatch({ stream, header, payload, ...part });
			return;
		}
		entry.inbox.receive(now, header, payload, -1, this.out); // that it has some of it is no drop
		this.deliver(entry);
	}

	/** tailGap takes a gap from there. */
	tailGap(now: number, stream: Stream, gap: Gap): void {
		const entry = this.entries.get(stream.id);
		if (entry?.inbox == null) {
			this.declare(stream, gap);
			return;
		}
		if (gap.to !== 0) entry.inbox.gap(now, gap, this.out);
		this.deliver(entry);
	}

	/** settleTails: these have come as far as they will, or waited for too long; the new runs of their streams begin. */
	settleTails(now: number, names?: ReadonlySet<string>): boolean {
		const over = this.tails.end(now, names).filter(({ stream }) => this.named(stream.name)?.inbox == null);
		for (const tail of over) {
			this.declareRest(tail);
			const { stream, at } = tail;
			const id = this.named(stream.name)?.stream.id ?? stream.id;
			if (at.epoch === this.epoch) this.resumes.set(stream.name, { id, name: stream.name, ...at, final: null });
		}
		if (over.length > 0) this.begin(now);
		return over.length > 0;
	}

	/** endOrder: a stream of Events is Live now. Nothing waits for the rest of its last run, which is no more than past. */
	private endOrder(now: number, { name, class: cls }: Stream): void {
		if (cls === "event" || !this.tails.waits(name)) return;
		for (const tail of this.tails.end(now, new Set([name]))) this.declareRest(tail);
	}

	/**
	 * waitFor has a stream wait for what is missing before. Of too many, those end that the device does not have any more: while it
	 * is asked anew again and again none of them would end for having waited too long.
	 */
	private waitFor(now: number, stream: Stream, at: EpochSeq, final: number | null, to = 0): void {
		if (this.tails.size >= MAX_TAILS && !this.tails.waits(stream.name)) {
			const known = new Set([...this.entries.values()].map((entry) => entry.stream.name));
			const gone = this.tails.names().filter((name) => !known.has(name));
			for (const tail of this.tails.end(now, new Set(gone))) this.declareRest(tail);
		}
		this.tails.wait(now, stream, at, final, to);
	}

	private declareRest({ stream, at, final }: Tail): void {
		const whole = at.epoch === this.epoch || (final !== null && at.seq >= final);
		if (!whole) this.events.onGap(stream, at.epoch, at.seq + 1, final, GAP_REASONS.restart);
	}

	/** bye: the device ends on purpose and says where each stream does. What is under way may still come. */
	bye(now: number, final: ReadonlyMap<number, EpochSeq>): void {
		for (const [id, end] of final) {
			const entry = this.entries.get(id);
			if (entry?.inbox == null || entry.stream.class !== "event" || entry.epoch !== end.epoch) continue;
			entry.final = end.seq;
			this.events.onFinal(entry.stream, end.epoch, end.seq);
			this.settleAt = now + (this.keeps ? SPOOL_GRACE : BYE_GRACE);
		}
	}

	/** settle declares what has not come in time after a goodbye. */
	settle(now: number): void {
		if (now < this.settleAt) return;
		this.settleAt = Infinity;
		for (const entry of this.entries.values()) if (entry.final !== null) this.declareEnd(now, entry);
	}

	/** positions are how far each Event stream got, as `open` tells it. */
	positions(): Record<string, string> {
		const told: Record<string, string> = {};
		for (const { id, epoch, seq } of this.resumes.values()) told[id] = formatPosition(epoch, seq);
		for (const [id, end] of this.ended) told[id] = formatPosition(end.epoch, end.seq);
		for (const [id, { inbox, stream }] of this.entries) {
			if (inbox === null || stream.class !== "event") continue;
			const { epoch, seq } = inbox.position();
			told[id] = formatPosition(epoch, seq);
		}
		return told;
	}

	/** acks takes the acknowledgements that are due, by the path that their data came on. */
	acks(now: number): Map<number, Position[]> {
		const due = new Map<number, Position[]>();
		for (const { inbox, path } of this.entries.values()) {
			if (inbox === null || inbox.ackDue() > now) continue;
			due.set(path, [...(due.get(path) ?? []), inbox.position()]);
			inbox.acked(now);
		}
		return due;
	}

	/** wake is when the next acknowledgement is due, or settle has something to do. */
	wake(): number {
		let at = this.settleAt;
		for (const { inbox } of this.entries.values()) if (inbox !== null) at = Math.min(at, inbox.ackDue());
		return at;
	}

	/** counts are samples delivered and holes seen, of the streams as they are now. */
	counts(): { delivered: number; lost: number } {
		const sum = { delivered: 0, lost: 0 };
		for (const { inbox } of this.entries.values()) {
			const stats = inbox?.stats();
			sum.delivered += stats?.delivered ?? 0;
			sum.lost += stats?.lost ?? 0;
		}
		return sum;
	}

	/** end: the device began anew. How much of its last run is missing nobody knows, unless it said goodbye. */
	private end(now: number, epoch: number): void {
		for (const [id, entry] of this.entries) {
			if (entry.inbox === null || entry.stream.class !== "event") continue;
			const at = entry.inbox.position();
			const whole = entry.final !== null && at.seq >= entry.final;
			if (whole) this.tails.end(now, new Set([entry.stream.name])); // it has come in another way meanwhile
			if (this.keeps && !whole) this.waitFor(now, entry.stream, { epoch: entry.epoch, seq: at.seq }, entry.final);
			else this.declareEnd(now, entry);
			this.ended.set(id, entry.inbox.position());
		}
		this.entries.clear();
		this.early = new Early();
		this.epoch = epoch;
		this.settleAt = Infinity;
	}

	/** declareEnd gives up what is missing up to the end of the stream's epoch. What came early behind a hole is delivered. */
	private declareEnd(now: number, entry: Entry): void {
		const { inbox, stream, epoch, final } = entry;
		if (inbox === null) return;
		const from = inbox.position().seq + 1;
		if (final !== null && from > final) return;
		const gap = { stream: stream.id, epoch, from, to: final ?? 0, reason: GAP_REASONS.restart };
		inbox.gap(now, gap, this.out);
		this.deliver(entry);
	}

	/** resumeTail: of the run that an earlier life of this viewer saw, a device that began anew meanwhile may keep the rest. */
	private resumeTail(now: number, stream: Stream): void {
		const { id, name, start } = stream;
		const before = this.resumes.get(name);
		if (before === undefined || !this.keeps || start?.epoch !== this.epoch) return;
		const { epoch, seq, final } = before;
		const whole = final !== null && seq >= final;
		if (epoch === this.epoch || whole) return;
		this.resumes.delete(name);
		this.ended.set(id, { epoch, seq });
		this.waitFor(now, stream, { epoch, seq }, final);
	}

	/** named finds a stream of this run: in another it may have another number. */
	private named(name: string): Entry | undefined {
		for (const entry of this.entries.values()) if (entry.stream.name === name) return entry;
		return undefined;
	}

	private put(stream: Stream): void {
		const known = this.entries.get(stream.id);
		if (known === undefined && this.entries.size >= MAX_STREAMS) {
			this.events.onDrop("limit");
			return;
		}
		if (known !== undefined) known.stream = stream;
		const entry = known ?? {
			stream,
			epoch: this.epoch,
			inbox: null,
			kept: new Kept(),
			path: 0,
			final: null,
			sought: 0,
		};
		this.entries.set(stream.id, entry);
	}

	/** An Event stream is received from its start on, which only the device tells; others from anywhere. */
	private inbox(stream: Stream): Inbox | null {
		if (stream.class !== "event") return new Inbox(stream.id, stream.class, this.epoch, 0, this.early);
		if (stream.start === null || stream.start.epoch !== this.epoch || this.tails.waits(stream.name)) return null;
		const after = this.resume(stream, stream.start.seq);
		this.events.onStart(stream, this.epoch, after);
		return new Inbox(stream.id, stream.class, this.epoch, after, this.early);
	}

	/**
	 * resume is after which sample a stream begins: where the device says, but
	 * not before what an earlier life has. What lies between the two is missing.
	 */
	private resume(stream: Stream, start: number): number {
		const before = this.resumes.get(stream.name);
		if (before === undefined) return start;
		this.resumes.delete(stream.name);
		const { epoch, seq, final } = before;
		if (epoch !== this.epoch) {
			if (final === null || final > seq) this.events.onGap(stream, epoch, seq + 1, final, GAP_REASONS.restart);
			return start;
		}
		if (start > seq) this.events.onGap(stream, epoch, seq + 1, start, GAP_REASONS["unknown-position"]);
		return Math.max(start, seq);
	}

	private retained(entry: Entry, header: Header, payload: Uint8Array, { hop }: Arrival): false {
		if (header.key !== 0) {
			this.events.onDrop("sealed");
			return false;
		}
		if (!entry.kept.keep(header)) {
			this.events.onDrop("duplicate");
			return false;
		}
		const whole = { skip: 0, take: header.count, late: false, retainedMs: hop.retained ? hop.held : 0 };
		this.events.onBatch({ stream: entry.stream, header, payload, ...whole });
		return false;
	}

	private deliver({ stream }: Entry): void {
		for (const delivery of this.out.splice(0)) {
			if (delivery.gap !== null) this.declare(stream, delivery.gap);
			else if (delivery.header.key !== 0) this.sealed(stream, delivery);
			else this.events.onBatch({ stream, ...delivery, retainedMs: null });
		}
	}

	/** sealed: nobody here can open it. Of an Event stream that is a gap. */
	private sealed(stream: Stream, { header, skip, take }: Samples): void {
		this.events.onDrop("sealed");
		if (stream.class !== "event") return;
		const from = header.seq + skip;
		const { epoch } = header;
		this.declare(stream, { stream: stream.id, epoch, from, to: from + take - 1, reason: GAP_REASONS.refused });
	}

	private declare(stream: Stream, gap: Gap): void {
		this.events.onGap(stream, gap.epoch, gap.from, gap.to === 0 ? null : gap.to, gap.reason);
	}

	private unknown(reason: DropReason): false {
		this.events.onDrop(reason);
		this.events.onUnknown();
		return false;
	}
}
