import { FormatError } from "./fault";
import { FLAG_EXT } from "./frame";
import { Reader } from "./reader";
import { CLASSES, type Class, MAX_COUNT, MAX_INT, MAX_STREAM_ID } from "./wire";
import type { Writer } from "./writer";

/** Header is the immutable end-to-end part of a Data frame (section 3.2). */
export interface Header {
	class: Class;
	stream: number; // 1 … MAX_STREAM_ID
	epoch: number; // random, not 0, new at each start of the producer
	seq: number; // of the first sample; the first of an epoch has 1
	count: number; // samples in the batch, 1 … MAX_COUNT
	deadline: number; // ms after the sample's time; 0: none
	key: number; // of the sealed payload; 0: not sealed
	will: boolean; // a last will
}

const VERSION = 1;
const DEADLINE = 1 << 0;
const KEY = 1 << 1;
const WILL = 1 << 2;

/** last is the sequence number of the batch's last sample. */
export function last(h: Header): number {
	return h.seq + h.count - 1;
}

/** parseData reads a Data frame's body. The payload aliases it. */
export function parseData(body: Uint8Array): { header: Header; payload: Uint8Array } {
	const r = new Reader(body);
	const vclass = r.u8();
	const flags = r.u8();
	if (vclass >> 4 !== VERSION) throw new FormatError("version");
	const cls = CLASSES[vclass & 15];
	const header = {
		class: cls ?? "signal",
		stream: r.uvarint(MAX_STREAM_ID),
		epoch: r.u32(),
		seq: r.uvarint(MAX_INT - MAX_COUNT),
		count: r.uvarint(MAX_COUNT),
		deadline: flags & DEADLINE ? r.uvarint() : 0,
		key: flags & KEY ? r.uvarint() : 0,
		will: (flags & WILL) !== 0,
	};
	if (flags & FLAG_EXT) r.skipExt();
	const { stream, epoch, seq, count } = header;
	if (cls === undefined || stream === 0 || epoch === 0 || seq === 0 || count === 0) throw new FormatError("range");
	return { header, payload: r.rest() };
}

/** appendHeader appends a Data frame's header; the payload goes behind it. */
export function appendHeader(w: Writer, h: Header): Writer {
	const flags = (h.deadline !== 0 ? DEADLINE : 0) | (h.key !== 0 ? KEY : 0) | (h.will ? WILL : 0);
	w.u8((VERSION << 4) | CLASSES.indexOf(h.class)).u8(flags);
	w.uvarint(h.stream).u32(h.epoch).uvarint(h.seq).uvarint(h.count);
	if (h.deadline !== 0) w.uvarint(h.deadline);
	if (h.key !== 0) w.uvarint(h.key);
	return w;
}
