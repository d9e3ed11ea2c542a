import { FormatError } from "./fault";
import { Reader } from "./reader";
import type { Writer } from "./writer";

// The frames by which a Live channel counts, tells and mends (section 3.7).

/** Serial is the first frame of a packet on a Live channel: it numbers the packet and says what its sender wants to know. */
export interface Serial {
	number: number; // of this packet on this path; the first has 1, +1 a packet
	ask: boolean; // a receipt is wanted at once
	quick: boolean; // and whenever a number is seen to be missing
	kept: boolean; // a parity may come that covers this packet
}

const ASK = 1 << 0;
const QUICK = 1 << 1;
const KEPT = 1 << 2;

/** parseSerial reads a Serial frame's body. */
export function parseSerial(body: Uint8Array): Serial {
	const r = new Reader(body);
	const number = r.uvarint();
	const flags = r.u8();
	if (number === 0) throw new FormatError("range");
	return { number, ask: (flags & ASK) !== 0, quick: (flags & QUICK) !== 0, kept: (flags & KEPT) !== 0 };
}

/** appendSerial appends a Serial frame's body. */
export function appendSerial(w: Writer, s: Serial): Writer {
	return w.uvarint(s.number).u8((s.ask ? ASK : 0) | (s.quick ? QUICK : 0) | (s.kept ? KEPT : 0));
}

/** Run is packets in a row that came, and those in a row before them that did not. */
export interface Run {
	came: number;
	missed: number;
}

/** Receipt says which packets of a Live channel came. */
export interface Receipt {
	newest: number; // the highest number that came
	held: number; // µs from its arrival until the receipt left
	runs: Run[]; // from newest downward; what lies before the last is not spoken of
}

/** Bounds of a receipt: its runs, and the packets that it speaks of. */
export const MAX_RECEIPT_RUNS = 32;
export const MAX_RECEIPT = 256;

/** parseReceipt reads a Receipt frame's body. */
export function parseReceipt(body: Uint8Array): Receipt {
	const r = new Reader(body);
	const receipt: Receipt = { newest: r.uvarint(), held: r.uvarint(), runs: [] };
	let sum = 0;
	for (let n = r.uvarint(MAX_RECEIPT_RUNS); n > 0; n--) {
		const run = { came: r.uvarint(MAX_RECEIPT), missed: r.uvarint(MAX_RECEIPT) };
		sum += run.came + run.missed;
		if (run.came === 0 || sum > MAX_RECEIPT || sum > receipt.newest) throw new FormatError("range");
		receipt.runs.push(run);
	}
	return receipt;
}

/** appendReceipt appends a Receipt frame's body, with at most MAX_RECEIPT_RUNS runs. */
export function appendReceipt(w: Writer, { newest, held, runs }: Receipt): Writer {
	const some = runs.slice(0, MAX_RECEIPT_RUNS);
	w.uvarint(newest).uvarint(held).uvarint(some.length);
	for (const { came, missed } of some) w.uvarint(came).uvarint(missed);
	return w;
}

/**
 * Parity is the sum modulo 2 of the contents of earlier packets of a Live
 * channel: if all but one of them came, it is the one that did not.
 */
export interface Parity {
	lags: number[]; // how far before this packet's number each covered one has its own, ascending
	length: number; // the sum of the contents' lengths
	bytes: Uint8Array; // the sum of the contents, the shorter ones lengthened with zeros
}

/** How far back a parity reaches at most, in packets, and how many it covers. */
export const MAX_LAG = 32;
const MAX_LAGS = 8;
/** How many Parities a packet has at most. */
export const MAX_PARITIES = 8;

/** parseParity reads a Parity frame's body, which its bytes alias. */
export function parseParity(body: Uint8Array): Parity {
	const r = new Reader(body);
	const lags: number[] = [];
	let last = 0;
	for (let n = r.uvarint(MAX_LAGS); n > 0; n--) {
		const lag = r.uvarint(MAX_LAG);
		if (lag <= last) throw new FormatError("range");
		lags.push(lag);
		last = lag;
	}
	const high = r.u8();
	return { lags, length: (high << 8) | r.u8(), bytes: r.rest() };
}

/** appendParity appends a Parity frame's body. */
export function appendParity(w: Writer, { lags, length, bytes }: Parity): Writer {
	w.uvarint(lags.length);
	for (const lag of lags) w.uvarint(lag);
	return w
		.u8(length >> 8)
		.u8(length & 0xff)
		.append(bytes);
}
