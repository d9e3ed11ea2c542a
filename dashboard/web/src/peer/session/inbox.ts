import { type Class, type DropReason, type Gap, type Header, MAX_COUNT, type Position } from "../wire";
import { NEVER } from "./batch";
import type { Delivery } from "./delivery";
import type { Early } from "./early";
import { Fresh } from "./fresh";
import { Ordered } from "./ordered";
import { newStats, type Stats } from "./stats";

/**
 * Inbox is the receiving side of one stream of one Conn, for one epoch. It
 * takes frames from any carrier, in any order, any number of times.
 *
 * Streams of class Event, and with them Call and History, are delivered
 * exactly once and in order; others at most once, on arrival.
 */
export class Inbox {
	private readonly ordered: Ordered | null; // one of the two
	private readonly fresh: Fresh | null;

	/** start is the position after which delivery begins, early what all streams of the Conn share; Live ignores both. */
	constructor(
		readonly stream: number,
		readonly cls: Class,
		readonly epoch: number,
		start: number,
		early: Early,
	) {
		const inOrder = cls === "event" || cls === "call" || cls === "history";
		this.ordered = inOrder ? new Ordered(start, early) : null;
		this.fresh = inOrder ? null : new Fresh();
	}

	/**
	 * receive takes a Data frame and appends to out what it yields, which is valid
	 * until the next call. age is that of the batch's last sample, in ms;
	 * negative: unknown. The reason is "" unless all of the frame was dropped.
	 */
	receive(now: number, h: Header, payload: Uint8Array, age: number, out: Delivery[]): DropReason | "" {
		if (h.stream !== this.stream) return "unknown-stream";
		if (h.epoch !== this.epoch) return "old-epoch";
		if (h.class !== this.cls || h.seq < 1 || h.count < 1 || h.count > MAX_COUNT) return "malformed";
		return this.ordered?.receive(now, h, payload, out) ?? this.fresh?.receive(h, payload, age, out) ?? "";
	}

	/**
	 * gap takes a Gap frame and appends to out what it yields: what was held back
	 * behind the missing, and the missing itself, as far as it is missing and
	 * reached. What lies behind samples that may still come is declared when
	 * these have come, by receive. Nothing is declared twice.
	 */
	gap(now: number, g: Gap, out: Delivery[]): void {
		if (g.stream !== this.stream || g.epoch !== this.epoch || g.from < 1) return;
		this.ordered?.gap(now, g, out);
	}

	/** position is how far an Event stream got, for an Ack. */
	position(): Position {
		const { stream, epoch, ordered } = this;
		return { stream, epoch, seq: ordered?.position ?? 0, received: ordered?.ranges() ?? [] };
	}

	/** hasPassed reports whether an Event stream got beyond a sample: it was delivered, or declared missing. */
	hasPassed(seq: number): boolean {
		return this.ordered !== null && seq <= this.ordered.position;
	}

	/** ackDue is when an Ack is due at the latest; NEVER: none is. */
	ackDue(): number {
		return this.ordered?.ack.at ?? NEVER;
	}

	/** acked notes that an Ack with the position was just sent. */
	acked(now: number): void {
		this.ordered?.ack.sent(now);
	}

	/** stats are the counts so far. */
	stats(): Readonly<Stats> {
		return this.ordered?.stats ?? this.fresh?.counts() ?? newStats();
	}
}
