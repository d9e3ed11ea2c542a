import { FormatError, MAX_COUNT, MAX_TEXT } from "../wire";
import type { Kind } from "./kind";

/** Value is one value of any kind. */
export type Value = number | boolean | string | Uint8Array;

const ENCODER = new TextEncoder();
const LONE_SURROGATE = /\p{Cs}/u;

/** utf8 encodes a text that may be sent, and throws for one that may not. */
export function utf8(text: string): Uint8Array {
	if (LONE_SURROGATE.test(text)) throw new FormatError("utf8");
	const bytes = ENCODER.encode(text);
	if (bytes.length > MAX_TEXT) throw new FormatError("long");
	return bytes;
}

/**
 * Batch is samples of one kind in columns. The typed arrays have room for the
 * largest batch; samples 0 … length − 1 count. Of numbers, texts and blobs only
 * the one of its kind is filled.
 */
export class Batch {
	kind: Kind = "number";
	length = 0;
	/** When each sample was taken: µs since the Unix epoch on the device's clock. */
	readonly t = new Float64Array(MAX_COUNT);
	/** Values of the kind number; of the kind bool as 0 and 1. */
	readonly numbers = new Float64Array(MAX_COUNT);
	readonly texts: string[] = [];
	/** After decode they alias the payload. */
	readonly blobs: Uint8Array[] = [];

	/** reset empties the batch for samples of a kind. */
	reset(kind: Kind): void {
		this.kind = kind;
		this.length = 0;
		this.texts.length = 0;
		this.blobs.length = 0;
	}

	/** add appends one sample. It throws for one that cannot be sent; the batch is as it was then. */
	add(t: number, value: Value): void {
		if (kindOf(value) !== this.kind) throw new FormatError("kind");
		check(value);
		if (this.length >= MAX_COUNT) throw new FormatError("count");
		this.t[this.length] = t;
		if (typeof value === "string") this.texts.push(value);
		else if (value instanceof Uint8Array) this.blobs.push(value);
		else this.numbers[this.length] = Number(value);
		this.length++;
	}
}

function kindOf(value: Value): Kind {
	switch (typeof value) {
		case "number":
			return "number";
		case "boolean":
			return "bool";
		case "string":
			return "text";
		default:
			return "bytes";
	}
}

function check(value: Value): void {
	if (typeof value === "number" && !Number.isFinite(value)) throw new FormatError("not-finite");
	if (typeof value === "string") utf8(value);
	if (value instanceof Uint8Array && value.length > MAX_TEXT) throw new FormatError("long");
}
