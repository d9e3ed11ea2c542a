import { FormatError, MAX_COUNT, Reader, type Writer } from "../wire";
import type { Batch } from "./batch";
import { KINDS } from "./kind";
import { appendBlobs, appendBools, appendTexts, decodeBlobs, decodeBools, decodeTexts } from "./lengths";
import { appendNumbers, decodeNumbers, ENCODINGS, type Encoding, smallest } from "./numbers";
import { appendTimes, decodeTimes, regularStep } from "./times";

/**
 * The bits of a payload's first byte. The two highest are for later versions,
 * which readers ignore.
 */
const FORM_KIND = 7;
const FORM_ENCODING = 3;
const FORM_SHIFT = 3;
const FORM_REGULAR = 1 << 5;

/**
 * append appends the payload of a batch, in the smallest form. Times before
 * 1970 count as 1970. It throws a FormatError for what must not be sent; the
 * writer holds a part of it then.
 */
export function append(w: Writer, b: Batch): Writer {
	if (b.length < 1 || b.length > MAX_COUNT) throw new FormatError("count");
	const encoding = b.kind === "number" ? smallest(b) : 0;
	const step = regularStep(b);
	const regular = step === null ? 0 : FORM_REGULAR;
	w.u8(KINDS.indexOf(b.kind) | (encoding << FORM_SHIFT) | regular);
	appendTimes(w, b, step);
	switch (b.kind) {
		case "bool":
			return appendBools(w, b);
		case "text":
			return appendTexts(w, b);
		case "bytes":
			return appendBlobs(w, b);
		default:
			return appendNumbers(w, b, encoding);
	}
}

/**
 * decode reads a payload of count samples into the batch, whose columns it
 * reuses. It throws a FormatError for a payload that is none; the batch is
 * empty then.
 */
export function decode(b: Batch, payload: Uint8Array, count: number): void {
	b.reset("number");
	if (!(count >= 1 && count <= MAX_COUNT)) throw new FormatError("count");
	const r = new Reader(payload);
	const form = r.u8();
	const kind = KINDS[form & FORM_KIND];
	const encoding = ENCODINGS[(form >> FORM_SHIFT) & FORM_ENCODING];
	if (kind === undefined || encoding === undefined) throw new FormatError("form");
	if (kind !== "number" && encoding !== 0) throw new FormatError("form");
	b.kind = kind;
	try {
		decodeTimes(r, b, count, (form & FORM_REGULAR) !== 0);
		decodeValues(r, b, count, encoding);
		b.length = count;
	} catch (error) {
		b.reset(kind);
		throw error;
	}
}

function decodeValues(r: Reader, b: Batch, count: number, encoding: Encoding): void {
	if (b.kind === "number") decodeNumbers(r, b, count, encoding);
	else if (b.kind === "bool") decodeBools(r, b, count);
	else if (b.kind === "text") decodeTexts(r, b, count);
	else decodeBlobs(r, b, count);
}
