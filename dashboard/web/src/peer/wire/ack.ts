import { FormatError } from "./fault";
import { Reader } from "./reader";
import { MAX_ACK_ENTRIES, MAX_ACK_RANGES, MAX_INT, MAX_STREAM_ID } from "./wire";
import type { Writer } from "./writer";

/** Range is a run of sequence numbers, both ends included. */
export interface Range {
	from: number;
	to: number;
}

/** Position is how far a receiver got in one stream (section 3.3). */
export interface Position {
	stream: number;
	epoch: number;
	seq: number; // every sample up to and including it was delivered or declared a gap
	received: Range[]; // beyond seq, ascending, not adjacent to seq or one another
}

/** Levels of an acknowledgement: memory is never called durable. */
export const LEVEL_RECEIVED = 0;
export const LEVEL_DURABLE = 1;

/** parseAck reads an Ack frame's body. */
export function parseAck(body: Uint8Array): { level: number; positions: Position[] } {
	const r = new Reader(body);
	const level = r.u8();
	const positions: Position[] = [];
	for (let n = r.uvarint(MAX_ACK_ENTRIES); n > 0; n--) positions.push(readPosition(r));
	return { level, positions };
}

function readPosition(r: Reader): Position {
	const p: Position = { stream: r.uvarint(MAX_STREAM_ID), epoch: r.u32(), seq: r.uvarint(), received: [] };
	let end = p.seq;
	for (let k = r.uvarint(MAX_ACK_RANGES); k > 0; k--) {
		const skip = r.uvarint();
		const length = r.uvarint();
		// Subtracting keeps what is compared exact.
		if (skip === 0 || length === 0 || skip > MAX_INT - end || length > MAX_INT - end - skip) {
			throw new FormatError("range");
		}
		p.received.push({ from: end + skip + 1, to: end + skip + length });
		end += skip + length;
	}
	return p;
}

/**
 * appendAck appends an Ack frame's body. It takes at most MAX_ACK_ENTRIES
 * positions, and of each at most MAX_ACK_RANGES ranges; more are left out,
 * which a sender takes as not received.
 */
export function appendAck(w: Writer, level: number, positions: readonly Position[]): Writer {
	const some = positions.slice(0, MAX_ACK_ENTRIES);
	w.u8(level).uvarint(some.length);
	for (const p of some) appendPosition(w, p);
	return w;
}

function appendPosition(w: Writer, p: Position): void {
	const ranges = p.received.slice(0, MAX_ACK_RANGES);
	w.uvarint(p.stream).u32(p.epoch).uvarint(p.seq).uvarint(ranges.length);
	let end = p.seq;
	for (const { from, to } of ranges) {
		w.uvarint(from - end - 1).uvarint(to - from + 1);
		end = to;
	}
}
