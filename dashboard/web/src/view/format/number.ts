/** Shown where a value is not there (yet): it leaves its place. */
export const NONE = "–";
export const MINUS = "−";
const NARROW_SPACE = "\u202f";

/** Quantity is a number made readable, apart from its unit, which is set smaller. */
export interface Quantity {
	text: string;
	unit: string;
}

/**
 * quantity scales a value for reading: bytes by their prefixes, what is very
 * large by 1000 where its unit takes a prefix, and what is very small or has no
 * room by a power of ten. size is the largest that the value has been of late:
 * digits follow it, so that they stay as many while the value comes near zero.
 * whole says that the value has never had a fraction.
 */
export function quantity(value: number, unit: string, size = 0, whole = false): Quantity {
	if (!Number.isFinite(value)) return { text: NONE, unit };
	const bytes = byteUnit(unit);
	if (bytes !== null) {
		const [scaled, prefix] = scale(value * bytes.factor, bytes.base, bytes.prefixes, bytes.base);
		return { text: number(scaled, prefix === "" ? 0 : decimals(scaled)), unit: prefix + bytes.rest };
	}
	const largest = Math.max(Math.abs(value), size);
	if (largest > 0 && largest < TINY) return { text: power(value, largest), unit };
	if (!PREFIXABLE.test(unit)) return { text: plain(value, size, whole), unit };
	const [scaled, prefix] = scale(value, 1000, DECIMAL, 100_000);
	const digits = prefix === "" ? (whole ? 0 : decimals(Math.max(Math.abs(scaled), size))) : decimals(scaled);
	return { text: number(scaled, digits), unit: prefix + unit };
}

/** Below it, digits behind the point would say nothing. */
const TINY = 1e-4;
/** From here on, digits before the point have no room. */
const HUGE = 1e7;
/** Nothing, or a unit that takes a prefix and has none: kkWh is none. */
const PREFIXABLE = /^((Hz|V|A|W|Wh|VA|var|J|eV|N|Pa|Bq|m|g|Ω|F|H|bit)(\/.*)?)?$/;

function plain(value: number, size: number, whole: boolean): string {
	const largest = Math.max(Math.abs(value), size);
	return largest >= HUGE ? power(value, largest) : number(value, whole ? 0 : decimals(largest));
}

/** power writes a value in the power of ten that the largest has: digits keep their places. */
function power(value: number, largest: number): string {
	const exponent = Math.floor(Math.log10(largest));
	return value === 0 ? "0" : `${number(value / 10 ** exponent, 2)}${timesTen(exponent)}`;
}

/** timesTen is a power of ten behind a number: ×10⁻⁷. */
function timesTen(exponent: number): string {
	const digits = [...String(Math.abs(exponent))].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]);
	return `×10${exponent < 0 ? "⁻" : ""}${digits.join("")}`;
}

const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
const DECIMAL = ["", "k", "M", "G", "T", "P"];

/** ByteUnit is a unit of bytes, taken apart: MiB/s is 1024² times B/s. */
export interface ByteUnit {
	factor: number;
	base: 1000 | 1024;
	prefixes: readonly string[];
	rest: string;
}

/** byteUnit takes a unit of bytes apart; null: it is none. Bytes without a prefix are counted by 1024. */
export function byteUnit(unit: string): ByteUnit | null {
	const [, prefix = "", rest = ""] = /^([kMGTP]|[KMGTP]i)?(B(?:\/.*)?)$/.exec(unit) ?? [];
	if (rest === "") return null;
	const decimal = prefix !== "" && !prefix.endsWith("i");
	const [base, prefixes] = decimal ? ([1000, DECIMAL] as const) : ([1024, BINARY] as const);
	return { factor: base ** prefixes.indexOf(prefix), base, prefixes, rest };
}

function scale(value: number, step: number, prefixes: readonly string[], from: number): [number, string] {
	let size = Math.abs(value);
	if (size < from) return [value, ""];
	let power = 0;
	while (size >= step && power < prefixes.length - 1) {
		size /= step;
		power++;
	}
	return [Math.sign(value) * size, prefixes[power] ?? ""];
}

/** About four significant digits, and the same number of them for values of one size: digits keep their places. */
function decimals(value: number): number {
	const size = Math.abs(value);
	if (size >= 1000) return 0;
	if (size >= 10) return 1;
	if (size >= 1 || size === 0) return 2;
	return size >= 0.001 ? 3 : 6;
}

/** number writes a value with so many decimals, a real minus sign, and thin spaces between thousands from 10 000 on. */
export function number(value: number, digits: number): string {
	if (!Number.isFinite(value)) return NONE;
	const size = Math.abs(value);
	if (size >= 1e15) return value.toExponential(3).replace("-", MINUS);
	const [whole = "", fraction] = size.toFixed(digits).split(".");
	const grouped = size >= 10_000 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE) : whole;
	const isZero = Number(size.toFixed(digits)) === 0;
	return (value < 0 && !isZero ? MINUS : "") + grouped + (fraction === undefined ? "" : `.${fraction}`);
}

/** tick writes a value at an axis, given the step between two ticks. Bytes have the prefix of their unit or a larger one. */
export function tick(value: number, step: number, unit: string): string {
	const bytes = byteUnit(unit);
	if (bytes !== null) return compact(value * bytes.factor, bytes.base, bytes.prefixes, step * bytes.factor);
	if (step < TINY && Math.abs(value) < 1) return value === 0 ? "0" : tiny(value, step);
	if (Math.abs(value) < 10_000) return number(value, stepDecimals(step));
	const short = compact(value, 1000, DECIMAL, step);
	// 123.457244k is harder to read than all the digits.
	return /\.\d{3}/.test(short) ? number(value, stepDecimals(step)) : short;
}

function tiny(value: number, step: number): string {
	const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
	return number(value / 10 ** exponent, stepDecimals(step / 10 ** exponent)) + timesTen(exponent);
}

function compact(value: number, base: number, prefixes: readonly string[], step: number): string {
	const [scaled, prefix] = scale(value, base, prefixes, base);
	const divisor = base ** Math.max(0, prefixes.indexOf(prefix));
	return number(scaled, stepDecimals(step / divisor)) + prefix;
}

function stepDecimals(step: number): number {
	let digits = 0;
	for (let scaled = step; digits < 6 && Math.abs(scaled - Math.round(scaled)) > 1e-6 * scaled; scaled *= 10) digits++;
	return digits;
}

/** plusMinus is an error bound behind an estimate: " ± 0.4", or nothing where the bound is unknown. */
export function plusMinus(error: number | null, digits = 1): string {
	return error === null ? "" : ` ± ${number(error, digits)}`;
}

/** bytes writes a size in words: 0 B, 812 B, 1.4 KiB. */
export function bytes(value: number): string {
	const { text, unit } = quantity(value, "B");
	return `${text} ${unit}`;
}
