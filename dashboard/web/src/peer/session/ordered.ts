import { type DropReason, type Gap, type Header, last, type Range } from "../wire";
import { AckTimer } from "./ack-timer";
import { sizeOf } from "./batch";
import type { Delivery } from "./delivery";
import type { Early } from "./early";
import { GapList, mergeRanges } from "./gaps";
import { Hold } from "./hold";
import { newStats } from "./stats";

/**
 * Ordered is the Inbox of class Event: exactly once, in order.
 *
 *           position      missing   held     missing   held
 *     ─────────┤├──────────────────┤███████├───────────┤████├──
 *     delivered
 */
export class Ordered {
	readonly stats = newStats();
	readonly ack = new AckTimer();
	private ended = false; // a gap without end was declared: nothing comes any more
	private readonly early: Hold;
	private readonly gaps = new GapList();

	/** position: every sample up to and including it was delivered or declared. */
	constructor(
		public position: number,
		shared: Early,
	) {
		this.early = new Hold(shared);
	}

	receive(now: number, h: Header, payload: Uint8Array, out: Delivery[]): DropReason | "" {
		if (this.ended) return "old-epoch";
		if (last(h) <= this.position) {
			this.stats.duplicates += h.count;
			this.ack.now(now);
			return "duplicate";
		}
		if (h.seq > this.position + 1) return this.holdBack(now, h, payload);
		const hadHole = !this.early.empty() || !this.gaps.empty();
		this.deliver(out, h, payload);
		this.drain(out);
		if (hadHole) this.ack.now(now);
		else this.ack.soon(now, sizeOf(payload));
		return "";
	}

	gap(now: number, g: Gap, out: Delivery[]): void {
		this.ack.now(now);
		if (this.ended || (g.to !== 0 && g.to <= this.position)) return;
		this.gaps.add(g, this.position);
		this.drain(out);
	}

	/** ranges are the samples known beyond the position, held or declared missing: none of them needs sending again. */
	ranges(): Range[] {
		return mergeRanges([...this.early.ranges(), ...this.gaps.ranges()]);
	}

	/** holdBack keeps what came early until what is before it has come. */
	private holdBack(now: number, h: Header, payload: Uint8Array): DropReason | "" {
		const { extends: extended, reason, dropped } = this.early.add(h, payload);
		if (reason === "duplicate") this.stats.duplicates += h.count;
		this.stats.limited += dropped;
		if (extended) this.ack.soon(now, sizeOf(payload));
		else this.ack.now(now);
		return reason;
	}

	/** deliver appends what lies beyond the position of a batch that reaches it. */
	private deliver(out: Delivery[], header: Header, payload: Uint8Array): void {
		const skip = this.position + 1 - header.seq;
		const take = header.count - skip;
		this.stats.delivered += take;
		this.stats.duplicates += skip;
		this.position = last(header);
		out.push({ gap: null, header, payload, skip, take, late: false, newest: true });
	}

	/** drain appends all that has become due by the position's last move. */
	private drain(out: Delivery[]): void {
		while (!this.ended) {
			const held = this.early.take(this.position);
			const gap = held === null ? this.gaps.at(this.position) : null;
			if (held !== null) this.deliver(out, held.header, held.payload);
			else if (gap !== null) this.declare(out, gap);
			else return;
		}
	}

	/** declare moves the position over a gap, up to the next batch that is there. */
	private declare(out: Delivery[], known: Gap): void {
		const g = { ...known, from: this.position + 1 };
		const next = this.early.first();
		if (next !== null && (g.to === 0 || next <= g.to)) g.to = next - 1;
		if (g.to === 0) {
			this.ended = true;
			this.position = g.from;
			this.gaps.clear();
			out.push({ gap: g });
			return;
		}
		this.position = g.to;
		this.stats.missing += g.to - g.from + 1;
		appendGap(out, g);
	}
}

/** appendGap appends a gap, to the last one if it continues that one. */
function appendGap(out: Delivery[], g: Gap): void {
	const before = out.at(-1)?.gap;
	if (before && before.stream === g.stream && before.to + 1 === g.from && before.reason === g.reason) before.to = g.to;
	else out.push({ gap: g });
}
