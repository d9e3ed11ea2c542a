/** Shown where a value is not there (yet): it leaves its place. */
export const NONE = "–";
const MINUS = "−";
const NARROW_SPACE = "\u202f";

/** Quantity is a number made readable, apart from its unit, which is set smaller. */
export interface Quantity {
	text: string;
	unit: string;
}

/**
 * quantity scales a value for reading: bytes by 1024, all else that is very
 * large by 1000. size is the largest that the value has been of late: digits
 * follow it, so that they stay as many while the value comes near zero.
 */
export function quantity(value: number, unit: string, size = 0): Quantity {
	if (!Number.isFinite(value)) return { text: NONE, unit };
	const binary = isBytes(unit);
	const [scaled, prefix] = binary ? scale(value, 1024, BINARY, 1024) : scale(value, 1000, DECIMAL, 100_000);
	const digits = binary && prefix === "" ? 0 : decimals(prefix === "" ? Math.max(Math.abs(scaled), size) : scaled);
	return { text: number(scaled, digits), unit: prefix + unit };
}

/** isBytes tells units that count in steps of 1024. */
export function isBytes(unit: string): boolean {
	return /^B(?![a-zA-Z])/.test(unit);
}

const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
const DECIMAL = ["", "k", "M", "G", "T", "P"];

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

/** tick writes a value at an axis, given the step between two ticks. */
export function tick(value: number, step: number, unit: string): string {
	const binary = isBytes(unit);
	const size = Math.abs(value);
	if (binary && size >= 1024) return compact(value, 1024, BINARY, step);
	if (!binary && size >= 10_000) return compact(value, 1000, DECIMAL, step);
	return number(value, stepDecimals(step));
}

function compact(value: number, base: number, prefixes: readonly string[], step: number): string {
	const [scaled, prefix] = scale(value, base, prefixes, base);
	const divisor = scaled === 0 ? 1 : Math.abs(value / scaled);
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
