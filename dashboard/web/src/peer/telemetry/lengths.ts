import { FormatError, MAX_TEXT, type Reader, type Writer } from "../wire";
import { type Batch, utf8 } from "./batch";

/** A leading byte order mark is a character like any other: it stays. */
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** appendBools appends eight truths a byte, the first in bit 0. */
export function appendBools(w: Writer, b: Batch): Writer {
	for (let first = 0; first < b.length; first += 8) {
		let byte = 0;
		for (let i = first; i < Math.min(first + 8, b.length); i++) if (b.numbers[i] !== 0) byte |= 1 << (i - first);
		w.u8(byte);
	}
	return w;
}

export function decodeBools(r: Reader, b: Batch, count: number): void {
	let byte = 0;
	for (let i = 0; i < count; i++) {
		if (i % 8 === 0) byte = r.u8();
		b.numbers[i] = (byte >> (i % 8)) & 1;
	}
}

/** appendTexts appends each text behind its length. */
export function appendTexts(w: Writer, b: Batch): Writer {
	for (const text of b.texts) {
		const bytes = utf8(text);
		w.uvarint(bytes.length).append(bytes);
	}
	return w;
}

export function decodeTexts(r: Reader, b: Batch, count: number): void {
	for (let i = 0; i < count; i++) b.texts.push(decodeText(takeLength(r)));
}

function decodeText(bytes: Uint8Array): string {
	try {
		return DECODER.decode(bytes);
	} catch {
		throw new FormatError("utf8");
	}
}

/** appendBlobs appends each value of bytes behind its length. */
export function appendBlobs(w: Writer, b: Batch): Writer {
	for (const blob of b.blobs) {
		if (blob.length > MAX_TEXT) throw new FormatError("long");
		w.uvarint(blob.length).append(blob);
	}
	return w;
}

export function decodeBlobs(r: Reader, b: Batch, count: number): void {
	for (let i = 0; i < count; i++) b.blobs.push(takeLength(r));
}

/** takeLength takes a length and that many bytes. */
function takeLength(r: Reader): Uint8Array {
	const n = r.uvarint();
	if (n > MAX_TEXT) throw new FormatError("long");
	return r.take(n);
}
