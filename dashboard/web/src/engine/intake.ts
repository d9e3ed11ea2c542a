import type { Kept } from "../archive/entry";
import type { PastBatch } from "../peer/conn/past";
import type { Received } from "../peer/conn/streams";
import type { Env } from "../peer/env";
import type { Rung } from "../peer/ladder";
import { formatEpoch, type Stream } from "../peer/signal";
import { Batch, decode, type Meta, parseMeta } from "../peer/telemetry";
import { FormatError, gapReasonName, type Header } from "../peer/wire";
import type { FromWorker, StreamInfo } from "../port";
import { Collector } from "./collector";
import { Keeper } from "./keeper";

/** The page fetched nothing for so long that Events had to be dropped. */
const GAP_PAGE = "page-behind";

type Offset = { offset: number; error: number } | null;

/** Intake turns what a Conn delivers into what a page draws. */
export class Intake {
	private readonly collector: Collector;
	/** Of the Conn whose data come. */
	private keeper = new Keeper(null, null);
	private readonly scratch = new Batch();
	/** The payload that scratch holds: a batch is looked at twice, and decoded once. */
	private decoded: Uint8Array | null = null;
	private ageMs: number | null = null;
	private ageErrMs: number | null = null;

	constructor(
		private readonly env: Env,
		private readonly post: (message: FromWorker, transfer?: Transferable[]) => void,
	) {
		this.collector = new Collector((hole) => post({ type: "gap", ...hole, reason: GAP_PAGE }));
	}

	/** begin is for another Conn, with what an earlier one left. */
	begin(keeper: Keeper): void {
		this.clear();
		this.keeper = keeper;
	}

	/** describe tells of the streams, and then what is kept of those that are new: all else comes behind it. */
	describe(epoch: number, streams: readonly Stream[]): void {
		this.post({ type: "streams", epoch: formatEpoch(epoch), streams: streams.map(info) });
		for (const stream of streams) for (const entry of this.keeper.take(stream)) this.restore(stream, entry);
	}

	/** batch decodes and keeps a batch until the page pulls. */
	batch(received: Received, offset: Offset, rung: Rung | null = null): void {
		const { header, payload, stream } = received;
		const event = header.class === "event" && received.retainedMs === null;
		if (event) this.keeper.batch(received);
		const batch = this.decode(payload, header.count);
		if (batch === null) return;
		this.collector.add(batch, {
			stream: stream.id,
			epoch: formatEpoch(header.epoch),
			seq: header.seq,
			skip: received.skip,
			take: received.take,
			retainedMs: received.retainedMs,
			late: received.late,
			restored: false,
			event,
			...(rung === null ? {} : { rung }),
			shift: header.will ? this.published(batch, received, offset) : 0,
		});
		if (header.class === "live" && received.retainedMs === null && !received.late)
			this.measure(batch, received, offset);
	}

	/** copy notes that samples came once more, on this rung. */
	copy({ stream, epoch, seq, count }: Header, rung: Rung): void {
		this.collector.copy({ stream, epoch: formatEpoch(epoch), seq, count }, rung);
	}

	/** past keeps a batch of the device's spool until the page pulls. It is what the stream is now, or nothing. */
	past({ stream, header, payload }: PastBatch): void {
		const batch = this.decode(payload, header.count);
		if (batch === null || batch.kind !== metaOf(stream.meta).kind) return;
		const how = { retainedMs: null, late: true, restored: true, event: false, shift: 0, past: true } as const;
		const { epoch, seq, count } = header;
		this.collector.add(batch, { stream: stream.id, epoch: formatEpoch(epoch), seq, skip: 0, take: count, ...how });
	}

	/** pastDone does not overtake what was last of it. */
	pastDone(): void {
		this.pull();
		this.post({ type: "past.done" });
	}

	get roomForPast(): boolean {
		return this.collector.hasRoom();
	}

	/** newestTime is the time of a batch's last sample in µs; null: it cannot be read. */
	newestTime(payload: Uint8Array, count: number): number | null {
		return this.decode(payload, count)?.t[count - 1] ?? null;
	}

	gap(stream: Stream, epoch: number, from: number, to: number | null, reason: number): void {
		this.keeper.gap(stream, epoch, from, to, reason);
		this.tellGap({ stream: stream.id, epoch: formatEpoch(epoch), from, to, reason: gapReasonName(reason) });
	}

	/** pull sends the page what there is. */
	pull(): void {
		const samples = this.collector.take();
		if (samples !== null) this.post(samples, [samples.data.buffer]);
	}

	/** age of the newest live sample when it came. */
	age(): { ageMs: number | null; ageErrMs: number | null } {
		return { ageMs: this.ageMs, ageErrMs: this.ageErrMs };
	}

	clear(): void {
		this.collector.clear();
		this.ageMs = this.ageErrMs = null;
	}

	private restore({ id: stream, meta }: Stream, entry: Kept): void {
		const epoch = formatEpoch(entry.epoch);
		if (entry.what === "gap") {
			const { from, to, reason } = entry;
			this.tellGap({ stream, epoch, from, to, reason: gapReasonName(reason), restored: true });
			return;
		}
		const batch = this.decode(entry.payload, entry.count);
		if (batch === null || batch.kind !== metaOf(meta).kind) return; // another stream has the name now
		const { seq, skip, take } = entry;
		const how = { retainedMs: null, late: false, restored: true, event: true, shift: 0 };
		this.collector.add(batch, { stream, epoch, seq, skip, take, ...how });
	}

	/** A gap does not overtake the samples before it. */
	private tellGap(gap: Omit<Extract<FromWorker, { type: "gap" }>, "type">): void {
		this.pull();
		this.post({ type: "gap", ...gap });
	}

	private decode(payload: Uint8Array, count: number): Batch | null {
		if (payload === this.decoded) return this.scratch;
		this.decoded = null;
		try {
			decode(this.scratch, payload, count);
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			this.env.debug("intake: unreadable payload:", error.message);
			return null;
		}
		this.decoded = payload;
		return this.scratch;
	}

	private measure(batch: Batch, { skip, take }: Received, offset: Offset): void {
		const t = batch.t[skip + take - 1];
		if (offset === null || t === undefined) return;
		this.ageMs = (this.env.wall() + offset.offset - t) / 1000;
		this.ageErrMs = offset.error / 1000;
	}

	/** published is by how much a will's time is off: it was written long before the server published it. */
	private published(batch: Batch, { retainedMs }: Received, offset: Offset): number {
		const at = (this.env.wall() + (offset?.offset ?? 0)) / 1000 - (retainedMs ?? 0);
		return at - (batch.t[0] ?? 0) / 1000;
	}
}

function info({ id, name, class: cls, deadlineMs, meta }: Stream): StreamInfo {
	return { id, name, class: cls, deadlineMs: deadlineMs === 0 ? null : deadlineMs, meta: metaOf(meta) };
}

/** A description that cannot be read must not hide the stream: it is shown as plain numbers are. */
function metaOf(meta: unknown): Meta {
	try {
		return parseMeta(meta);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		return parseMeta({});
	}
}
