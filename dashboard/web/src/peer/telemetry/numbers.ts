import { FormatError, type Reader, type Writer } from "../wire";
import type { Batch } from "./batch";
import { MAX_SIGNED } from "./times";

/** The encodings of numbers, bits 3–4 of the form: binary64; binary32, when every value is exactly one; integers as first value and differences. */
const DOUBLES = 0;
const SINGLES = 1;
const INTEGERS = 2;

/** ENCODINGS are those that are known, by their numbers. */
export const ENCODINGS = [DOUBLES, SINGLES, INTEGERS] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** smallest chooses the encoding with the fewest bytes, among equals the lowest. */
export function smallest(b: Batch): Encoding {
	let single = true;
	let integer = true;
	let size = 0;
	let last = 0;
	for (let i = 0; i < b.length; i++) {
		const x = b.numbers[i] ?? 0;
		if (!Number.isFinite(x)) throw new FormatError("not-finite");
		single &&= Math.fround(x) === x;
		integer &&= whole(x) && Math.abs(x - last) <= MAX_SIGNED;
		if (integer) size += svarintLength(x - last);
		last = x;
	}
	const least = (single ? 4 : 8) * b.length;
	if (integer && size < least) return INTEGERS;
	return single ? SINGLES : DOUBLES;
}

/** whole reports whether an svarint can hold x: the negative zero is no integer. */
function whole(x: number): boolean {
	return Number.isInteger(x) && Math.abs(x) <= MAX_SIGNED && !Object.is(x, -0);
}

function svarintLength(value: number): number {
	let n = 1;
	for (let left = value < 0 ? -2 * value - 1 : 2 * value; left >= 0x80; left /= 0x80) n++;
	return n;
}

export function appendNumbers(w: Writer, b: Batch, encoding: Encoding): Writer {
	let last = 0;
	for (let i = 0; i < b.length; i++) {
		const x = b.numbers[i] ?? 0;
		if (encoding === DOUBLES) w.f64(x);
		else if (encoding === SINGLES) w.f32(x);
		else w.svarint(x - last);
		last = x;
	}
	return w;
}

export function decodeNumbers(r: Reader, b: Batch, count: number, encoding: Encoding): void {
	if (encoding === INTEGERS) decodeIntegers(r, b, count);
	else decodeFloats(r, b, count, encoding === DOUBLES);
}

function decodeFloats(r: Reader, b: Batch, count: number, double: boolean): void {
	if (r.left() < count * (double ? 8 : 4)) throw new FormatError("short");
	for (let i = 0; i < count; i++) {
		const x = double ? r.f64() : r.f32();
		if (!Number.isFinite(x)) throw new FormatError("not-finite");
		b.numbers[i] = x;
	}
}

function decodeIntegers(r: Reader, b: Batch, count: number): void {
	let value = 0;
	for (let i = 0; i < count; i++) {
		value += r.svarint();
		if (Math.abs(value) > MAX_SIGNED) throw new FormatError("range");
		b.numbers[i] = value;
	}
}
