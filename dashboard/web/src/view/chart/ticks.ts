const STEPS = [1, 2, 2.5, 5, 10];

/** valueTicks are at most `wanted` + 2 round values inside a range, with their step; round is a power of two for bytes. */
export function valueTicks(low: number, high: number, wanted: number, binary: boolean): { at: number[]; step: number } {
	const parts = Math.max(1, wanted);
	const raw = high / parts - low / parts; // the difference itself may be more than a number holds
	const step = binary ? 2 ** Math.ceil(Math.log2(raw)) : decimalStep(raw);
	return { at: multiples(low, high, step, parts + 2), step };
}

/**
 * multiples of a step inside a range, at most so many. They are counted, not
 * compared with the end: where numbers lie further apart than the step, adding
 * it changes nothing, and there are none.
 */
function multiples(low: number, high: number, step: number, most: number): number[] {
	const first = Math.ceil(low / step - 1e-9);
	const last = Math.floor(high / step + 1e-9);
	if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || !Number.isFinite(step)) return [];
	const n = Math.max(0, Math.min(Math.floor(most), last - first + 1));
	return Array.from({ length: n }, (_, i) => (first + i) * step + 0).filter(Number.isFinite); // never −0
}

function decimalStep(raw: number): number {
	const size = 10 ** Math.floor(Math.log10(raw));
	return (STEPS.find((step) => step * size >= raw * 0.999) ?? 10) * size;
}

/** liveParts is into how many equal parts a live window falls, so that each ends at a round time. */
export function liveParts(span: number, narrow: boolean): number {
	if (span % 300_000 === 0) return span === 300_000 ? 5 : narrow ? 3 : 6;
	return narrow ? 3 : 4;
}

/** liveTicks divide a window that ends now into equal parts: their labels stand still while the data move. */
export function liveTicks(start: number, end: number, parts: number): number[] {
	return Array.from({ length: parts + 1 }, (_, i) => start + ((end - start) * i) / parts);
}

/** liveLabel says how long ago: "now", "−15 s", "−5 min". */
export function liveLabel(agoMs: number, span: number, withUnit: boolean): string {
	if (agoMs < 500) return "now";
	const minutes = span > 120_000;
	const value = minutes ? agoMs / 60_000 : agoMs / 1_000;
	const text = `−${Number.isInteger(value) ? value : value.toFixed(1)}`;
	return withUnit ? `${text} ${minutes ? "min" : "s"}` : text;
}

const TIME_STEPS = [
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3,
];

/** clockTicks are round times of day inside a window, given where the reader's clock has its round times. */
export function clockTicks(start: number, end: number, wanted: number): { at: number[]; step: number } {
	const raw = (end - start) / Math.max(1, wanted);
	const step = TIME_STEPS.find((s) => s >= raw) ?? 1_800e3;
	return { at: multiples(start, end, step, Math.max(1, wanted) + 2), step };
}
