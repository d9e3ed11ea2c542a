import { Early, Inbox, NEVER } from "../session";
import {
	type EpochSeq,
	type FromViewer,
	formatEpoch,
	formatPosition,
	parse as parseSignal,
	type Stream,
} from "../signal";
import {
	type DropReason,
	eachFrame,
	FormatError,
	type Frame,
	GAP_REASONS,
	type Gap,
	type Header,
	HISTORY_STREAM,
	MAX_STREAMS,
	type Position,
	parseData,
	parseGap,
	TYPE_DATA,
	TYPE_GAP,
	TYPE_SIGNAL,
} from "../wire";
import type { Tails } from "./tails";

/** If nothing came of a stream for so long (ms), and then numbers are missing, they are asked for. Single losses are not. */
const OUTAGE = 1_000;
/** For so long, in ms, numbers may go on behind it before some are missing: what was under way comes first. */
const TORN = 5_000;
/** The device is asked at most so often, in ms. */
const ASK_EVERY = 1_000;
/** A transfer may stand still for so long, in ms, before it is asked for anew. */
const PATIENCE = 5_000;

/** PastBatch is a batch that the device kept, of this run of its program or an earlier one. */
export interface PastBatch {
	stream: Stream; // as it is described now
	header: Header;
	payload: Uint8Array;
}

export interface PastEvents {
	onBatch(batch: PastBatch): void;
	/** a batch of a stream that waits for it. */
	onTail(batch: PastBatch, skip: number): void;
	onGap(stream: Stream, gap: Gap): void;
	onDone(): void;
	/** hasPassed reports whether a stream of this run was delivered beyond a sample, of what came from elsewhere. */
	hasPassed(stream: Stream, at: EpochSeq): boolean;
	/** these streams have come as far as they will. */
	onTailsDone(names: ReadonlySet<string>): void;
	/** room says whether more can be taken now; what cannot comes again. */
	room(): boolean;
	onDrop(reason: DropReason): void;
	/** ask sends a signal to the device; false: that is not possible now. */
	ask(message: FromViewer): boolean;
	/** streams are those of the epoch that the device accepted with. */
	streams(): Described;
}

interface Described {
	epoch: number;
	streams: Stream[];
}

interface Transfer {
	id: number;
	inbox: Inbox;
	moved: number; // when something of it came last
	path: number; // that it came on
	done: boolean;
	/** The streams that it was asked for, by name. */
	brings: Set<string>;
	/** The tails that it brings, by name, and nothing else; null: it brings none. */
	tails: ReadonlySet<string> | null;
	/** Streams of other epochs, as `EPOCH:NUMBER`, by the names they had. */
	names: Map<string, string>;
}

/** Passed is how far a Live stream got. */
interface Passed extends EpochSeq {
	heard: number; // when something came last
	torn: number; // seq when nothing came for long, lately: before tornAt; 0: it did not
	tornAt: number;
}

/**
 * Past is what a Conn wants of what the device kept, and the transfer that
 * brings it (section 5.4): class History, behind everything live. What the
 * application has already is its own to tell apart, by epoch and number.
 */
export class Past {
	private readonly passed = new Map<string, Passed>(); // Live streams, by name
	private readonly wanted = new Map<string, EpochSeq | null>(); // by name, behind this; null: as much as there is
	private there = false; // the device keeps a spool
	private epoch = 0; // that it accepted with
	private known = 0; // the epoch of the streams that are described
	private changed = false; // wanted has more than the transfer brings, or that is over
	private askAt = 0; // not before
	private transfer: Transfer | null = null;
	private unneeded = false; // the last one is, and the device may bring it still

	constructor(
		private readonly sinceMs: number,
		private readonly random: () => number,
		private readonly tails: Tails,
		private readonly events: PastEvents,
	) {}

	/**
	 * accepted: a device that is asked anew knows nothing of a transfer, perhaps. One that is done stays, so that it is
	 * acknowledged again if that is what was lost: until then the device does not end it.
	 */
	accepted(history: boolean, epoch: number): void {
		this.there = history;
		this.epoch = epoch;
		this.changed = true;
		if (!this.transfer?.done) this.transfer = null;
	}

	/** want wants what lies behind a sample of a stream. Of one that is wanted already the older sample counts. */
	want(name: string, behind: EpochSeq | null): void {
		if (!this.wanted.has(name)) {
			this.forgetUnknown(this.wanted);
			this.wanted.set(name, behind);
		}
		this.changed = true;
	}

	/** described: these streams are known. Where the transfer was asked for before that, it does not bring what is wanted of them. */
	described(epoch: number, streams: readonly Stream[]): void {
		this.known = epoch;
		if (this.wanted.size === 0) return;
		const isLate = ({ name }: Stream) => this.wanted.has(name) && !this.transfer?.brings.has(name);
		this.changed ||= streams.some(isLate);
	}

	/** live notes a Live batch of which so many samples are delivered, and wants what an outage has torn out before it. */
	live(now: number, name: string, { epoch, seq, count }: Header, take: number): void {
		const before = this.passed.get(name);
		const last = seq + count - 1;
		if (before === undefined || before.epoch !== epoch) {
			if (before !== undefined) this.want(name, { epoch: before.epoch, seq: before.seq });
			if (before === undefined) this.forgetUnknown(this.passed);
			this.passed.set(name, { epoch, seq: last, heard: now, torn: 0, tornAt: 0 });
			return;
		}
		if (now - before.heard > OUTAGE) {
			before.torn = before.seq;
			before.tornAt = now;
		}
		before.heard = now;
		if (before.torn !== 0) {
			const over = now >= before.tornAt + TORN;
			const lacks = !over && (seq > before.seq + 1 || take < count); // some came too late, perhaps
			if (lacks) this.want(name, { epoch, seq: before.torn });
			if (lacks || over) before.torn = 0;
		}
		before.seq = last;
	}

	/** forgetUnknown forgets streams that the device does not have any more, when these are many. */
	private forgetUnknown(of: Map<string, unknown>): void {
		if (of.size < 2 * MAX_STREAMS) return;
		const known = new Set(this.events.streams().streams.map(({ name }) => name));
		for (const name of of.keys()) if (!known.has(name)) of.delete(name);
	}

	/** step asks the device, which is there, for what is wanted. */
	step(now: number): void {
		const stuck = this.transfer !== null && !this.transfer.done && now >= this.transfer.moved + PATIENCE;
		if (!this.there || !this.wants || (!this.changed && !stuck) || now < this.askAt) return;
		this.askAt = now + ASK_EVERY;
		const { streams } = this.events.streams();
		const rests = streams.filter(({ name }) => this.tails.waits(name));
		if (rests.length > 0) this.ask(now, rests, (name) => this.tails.at(name), true);
		else
			this.ask(
				now,
				streams.filter(({ name }) => this.wanted.has(name)),
				(name) => this.wanted.get(name),
				false,
			);
	}

	private ask(
		now: number,
		of: readonly Stream[],
		behind: (name: string) => EpochSeq | null | undefined,
		tails: boolean,
	): void {
		if (of.length === 0 && !this.unneeded) {
			// What is wanted is not described, and perhaps never will be: when it is, that is noted.
			if (this.tails.size === 0 && this.transfer === null) this.changed = false;
			return;
		}
		const positions: Record<number, string> = {};
		for (const { id, name } of of) {
			const at = behind(name);
			if (at) positions[id] = formatPosition(at.epoch, at.seq);
		}
		const id = 1 + Math.floor(this.random() * 0xffff_fffe);
		const since_ms = tails ? 0 : this.sinceMs;
		const streams = of.map((stream) => stream.id);
		if (!this.events.ask({ type: "history", transfer: formatEpoch(id), streams, positions, since_ms })) return;
		this.changed = false;
		this.unneeded = false;
		if (of.length === 0) return; // it only ended the one before
		const inbox = new Inbox(HISTORY_STREAM, "history", id, 0, new Early());
		const brings = new Set(of.map(({ name }) => name));
		this.transfer = {
			id,
			inbox,
			moved: now,
			path: 0,
			done: false,
			brings,
			tails: tails ? brings : null,
			names: new Map(),
		};
	}

	/** end has the device told that nobody needs what it brings, unless it is asked for something else. */
	private end(): void {
		this.unneeded = true;
		this.changed = true;
	}

	/** A run that was cut off, or that outlasted its ring: the rest is asked for. */
	cutOff(): void {
		this.changed = true;
	}

	/** Of the streams of the run before nothing is asked: their numbers may be those of others now. */
	private get wants(): boolean {
		return this.known === this.epoch && (this.unneeded || this.wanted.size + this.tails.size > 0);
	}

	/** data takes a chunk of the transfer. */
	data(now: number, path: number, header: Header, payload: Uint8Array): void {
		const { transfer } = this;
		if (transfer === null || header.epoch !== transfer.id) {
			this.events.onDrop("old-epoch");
			const isOver = transfer === null || transfer.done;
			if (isOver && now >= this.askAt + PATIENCE) this.end(); // what was under way has come
			return;
		}
		transfer.moved = now;
		if (!this.events.room()) {
			this.events.onDrop("queue-full");
			return;
		}
		transfer.path = path;
		const out: Parameters<Inbox["receive"]>[4] = [];
		const drop = transfer.inbox.receive(now, header, payload, -1, out);
		if (drop !== "") this.events.onDrop(drop);
		for (const delivery of out) {
			if (delivery.gap !== null) continue;
			if (delivery.header.key !== 0) this.events.onDrop("sealed");
			else this.chunk(now, transfer, delivery.payload);
		}
	}

	/** ack is the acknowledgement of the transfer, if it is due, and the path that its data came on. */
	ack(now: number): { path: number; position: Position } | null {
		const { transfer } = this;
		if (transfer === null || transfer.inbox.ackDue() > now) return null;
		transfer.inbox.acked(now);
		return { path: transfer.path, position: transfer.inbox.position() };
	}

	/** wake is when there is something to do without an event; accepted: the device is there. */
	wake(accepted: boolean): number {
		const { transfer } = this;
		const asks = accepted && this.there && this.wants;
		const ask = asks && this.changed ? this.askAt : NEVER;
		if (transfer === null) return ask;
		const stuck = asks && !transfer.done ? Math.max(transfer.moved + PATIENCE, this.askAt) : NEVER;
		return Math.min(ask, stuck, transfer.inbox.ackDue());
	}

	/** chunk takes one apart: it is made as a packet is. */
	private chunk(now: number, transfer: Transfer, payload: Uint8Array): void {
		const described = this.events.streams();
		if (transfer.tails !== null) this.tails.brings(now);
		const bad = () => this.events.onDrop("malformed");
		const visit = (frame: Frame) => {
			try {
				this.frame(now, transfer, frame, described);
			} catch (error) {
				if (!(error instanceof FormatError)) throw error;
				bad();
			}
		};
		eachFrame(payload, visit, bad);
	}

	private frame(now: number, transfer: Transfer, frame: Frame, described: Described): void {
		if (frame.type === TYPE_SIGNAL) this.signal(transfer, frame.body);
		if (frame.type === TYPE_GAP) this.gap(now, transfer, parseGap(frame.body), described);
		if (frame.type !== TYPE_DATA) return;
		const { header, payload } = parseData(frame.body);
		const stream = this.named(transfer, header, described);
		if (stream === undefined || header.key !== 0) return;
		const { epoch, seq, count } = header;
		const last = { epoch, seq: seq + count - 1 };
		if (transfer.tails === null) {
			this.wanted.set(stream.name, last); // from here on, if it breaks off
			this.events.onBatch({ stream, header, payload });
			return;
		}
		const at = transfer.brings.has(stream.name) ? this.tails.at(stream.name) : undefined;
		if (at === undefined) return;
		if (at.epoch === epoch && last.seq <= at.seq) return; // it was known when the stream began to wait
		const skip = at.epoch === epoch ? Math.max(0, at.seq + 1 - seq) : 0;
		this.moved(now, stream, at, last);
		if (this.events.hasPassed(stream, last)) this.whole(now, transfer, stream);
		else this.events.onTail({ stream, header, payload }, skip);
	}

	/** gap: of charts it shows in the numbers, or in the change of epoch. */
	private gap(now: number, transfer: Transfer, gap: Gap, described: Described): void {
		const stream = this.named(transfer, gap, described);
		if (transfer.tails === null || stream === undefined) return;
		const at = transfer.brings.has(stream.name) ? this.tails.at(stream.name) : undefined;
		if (at === undefined) return;
		const { epoch, to } = gap;
		if (at.epoch === epoch && to !== 0 && to <= at.seq) return;
		if (to !== 0) this.moved(now, stream, at, { epoch, seq: to });
		if (to !== 0 && this.events.hasPassed(stream, { epoch, seq: to })) {
			this.whole(now, transfer, stream);
			return;
		}
		this.tails.declared(stream.name); // an open one says as much as there is to say
		this.events.onGap(stream, gap);
	}

	/**
	 * whole ends the waiting of a stream if it has been delivered beyond what the ring has no more. The spool has the rest as
	 * well, which nobody needs: when this is so of all that the transfer brings, the device is told to end it.
	 */
	private whole(now: number, transfer: Transfer, stream: Stream): void {
		const seq = this.tails.to(stream.name);
		if (seq === undefined || !this.events.hasPassed(stream, { epoch: this.epoch, seq })) return;
		this.tails.end(now, new Set([stream.name]));
		transfer.brings.delete(stream.name); // if it waits again, it is for what this transfer is not asked for
		if ([...transfer.brings].some((name) => this.tails.waits(name))) return;
		this.transfer = null;
		this.end();
	}

	/**
	 * moved notes how far the rest of a stream has come. Where it comes to another run, and between came what nobody can tell
	 * whose it is, that may be the rest of the one before, or the word that there is none.
	 */
	private moved(now: number, stream: Stream, { epoch, seq }: EpochSeq, to: EpochSeq): void {
		if (to.epoch !== epoch && this.tails.lacks(stream.name))
			this.events.onGap(stream, { stream: stream.id, epoch, from: seq + 1, to: 0, reason: GAP_REASONS.restart });
		this.tails.came(now, stream.name, to);
	}

	/** named finds the stream as it is described now. */
	private named(
		transfer: Transfer,
		of: { epoch: number; stream: number },
		{ epoch, streams }: Described,
	): Stream | undefined {
		if (of.epoch === epoch) return streams.find(({ id }) => id === of.stream);
		const name = transfer.names.get(`${of.epoch}:${of.stream}`);
		if (name === undefined) {
			if (transfer.tails !== null) this.tails.cameUnnamed();
			this.events.onDrop("unknown-stream");
		}
		return streams.find((stream) => stream.name === name);
	}

	private signal(transfer: Transfer, body: Uint8Array): void {
		const message = parseSignal(body);
		if (message?.type === "describe") {
			for (const { id, name } of message.streams) remember(transfer.names, `${message.epoch}:${id}`, name);
		} else if (message?.type === "bye") {
			for (const { id, name } of this.events.streams().streams) {
				const final = message.final.get(id);
				if (final !== undefined) this.tails.ended(name, final);
			}
		} else if (message?.type === "history" && message.done) {
			transfer.done = true;
			if (transfer.tails !== null) {
				this.changed = true; // the others are next
				this.events.onTailsDone(transfer.tails);
				return;
			}
			if (!this.changed) for (const name of transfer.brings) this.wanted.delete(name);
			this.events.onDone();
		}
	}
}

/** Streams of earlier runs that a transfer may name. */
const MAX_NAMES = 4_096;

/** remember notes what a stream of an earlier run was called. Of too many the one that was told first is forgotten: runs come in their order. */
function remember(names: Transfer["names"], of: string, name: string): void {
	names.set(of, name);
	if (names.size <= MAX_NAMES) return;
	for (const first of names.keys()) {
		names.delete(first);
		return;
	}
}
