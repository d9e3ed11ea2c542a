import { FormatError } from "./fault";
import { Reader } from "./reader";
import { MAX_INT } from "./wire";
import type { Writer } from "./writer";

/** Priority is a hint for queues in the hop part: 0 normal, 1 low, 2 high, 3 urgent. */
export type Priority = 0 | 1 | 2 | 3;

/** Hop is what a relay may rewrite in a frame (section 3.1). */
export interface Hop {
	conn: number; // conn number; 0: none
	retained: boolean; // a value kept by the server or the device, no live sample
	held: number; // ms since the keeper got it, if retained
	priority: Priority;
	store: boolean; // device to server: keep, forward to nobody
}

const HOP_CONN = 1 << 0;
const HOP_RETAINED = 1 << 1;
const HOP_STORE = 1 << 4;
/** FLAG_EXT, of hop and header: an extension follows. */
export const FLAG_EXT = 1 << 7;

/** Frame is one frame of a packet, opened as far as a relay needs. */
export interface Frame {
	type: number;
	hop: Hop;
	body: Uint8Array; // aliases the packet
}

/** hop makes a hop part: that of a direct path, changed as given. */
export function hop(change: Partial<Hop> = {}): Hop {
	return { conn: 0, retained: false, held: 0, priority: 0, store: false, ...change };
}

/**
 * nextFrame reads the frame at the front of packet. It throws where the frame
 * cannot be read; the packet is then behind it, or at its end if the rest is lost.
 */
export function nextFrame(packet: Reader): Frame {
	return openFrame(takeFrame(packet));
}

function takeFrame(packet: Reader): Uint8Array {
	try {
		const length = packet.uvarint();
		if (length === 0) throw new FormatError("short");
		return packet.take(length);
	} catch (error) {
		packet.rest();
		throw error;
	}
}

function openFrame(bytes: Uint8Array): Frame {
	const r = new Reader(bytes);
	const type = r.u8();
	const flags = r.u8();
	const conn = flags & HOP_CONN ? r.uvarint(MAX_INT) : 0;
	const retained = (flags & HOP_RETAINED) !== 0;
	const held = retained ? r.uvarint(MAX_INT) : 0;
	if (flags & FLAG_EXT) r.skipExt();
	const priority = ((flags >> 2) & 3) as Priority;
	return { type, hop: { conn, retained, held, priority, store: (flags & HOP_STORE) !== 0 }, body: r.rest() };
}

/** eachFrame visits the frames of a packet in order; those that cannot be read are told to bad. */
export function eachFrame(bytes: Uint8Array, visit: (frame: Frame) => void, bad: (error: FormatError) => void): void {
	const packet = new Reader(bytes);
	while (packet.left() > 0) {
		const frame = readable(packet, bad);
		if (frame !== null) visit(frame);
	}
}

function readable(packet: Reader, bad: (error: FormatError) => void): Frame | null {
	try {
		return nextFrame(packet);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		bad(error);
		return null;
	}
}

/** appendFrame appends a frame with the given body. */
export function appendFrame(w: Writer, type: number, h: Hop, body: Uint8Array): Writer {
	return appendHead(w, type, h, body.length).append(body);
}

/** appendHead appends all of a frame but its body, which the caller appends. */
export function appendHead(w: Writer, type: number, h: Hop, body: number): Writer {
	w.uvarint(2 + hopSize(h) + body).u8(type);
	let flags = h.priority << 2;
	if (h.conn !== 0) flags |= HOP_CONN;
	if (h.retained) flags |= HOP_RETAINED;
	if (h.store) flags |= HOP_STORE;
	w.u8(flags);
	if (h.conn !== 0) w.uvarint(h.conn);
	if (h.retained) w.uvarint(h.held);
	return w;
}

/** frameSize is the number of bytes that appendFrame appends. */
export function frameSize(h: Hop, body: number): number {
	const n = 2 + hopSize(h) + body;
	return uvarintLength(n) + n;
}

/** hopSize is the length of the hop part behind its flags. */
function hopSize(h: Hop): number {
	return (h.conn !== 0 ? uvarintLength(h.conn) : 0) + (h.retained ? uvarintLength(h.held) : 0);
}

/** uvarintLength is how many bytes a uvarint takes. */
export function uvarintLength(value: number): number {
	let n = 1;
	for (let left = value; left >= 0x80; left /= 0x80) n++;
	return n;
}
