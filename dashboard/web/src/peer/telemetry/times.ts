import { FormatError, MAX_INT, type Reader, type Writer } from "../wire";
import type { Batch } from "./batch";

/** MAX_SIGNED is the largest magnitude of an svarint. */
export const MAX_SIGNED = 2 ** 52 - 1;

/**
 * regularStep is the step between all times, if they have one and writing it
 * once is shorter: two samples are as long either way, and then, as everywhere,
 * the lower form is taken. Times outside the format's range are left to the
 * loop that refuses them.
 */
export function regularStep(b: Batch): number | null {
	if (b.length <= 2) return null;
	const step = at(b, 1) - at(b, 0);
	for (let i = 0; i < b.length; i++) {
		const t = at(b, i);
		if (t < 0 || t > MAX_INT || (i > 0 && t - at(b, i - 1) !== step)) return null;
	}
	return Math.abs(step) <= MAX_SIGNED ? step : null;
}

/** appendTimes appends the first time and the step, or all differences. */
export function appendTimes(w: Writer, b: Batch, step: number | null): void {
	let last = Math.max(0, at(b, 0));
	w.uvarint(last);
	if (step !== null) {
		w.svarint(step);
		return;
	}
	for (let i = 1; i < b.length; i++) {
		const t = Math.max(0, at(b, i));
		if (t > MAX_INT || Math.abs(t - last) > MAX_SIGNED) throw new FormatError("range");
		w.svarint(t - last);
		last = t;
	}
}

/** decodeTimes fills the first count times. */
export function decodeTimes(r: Reader, b: Batch, count: number, regular: boolean): void {
	let t = r.uvarint();
	b.t[0] = t;
	const step = regular && count > 1 ? r.svarint() : 0;
	for (let i = 1; i < count; i++) {
		t += regular ? step : r.svarint();
		if (t < 0 || t > MAX_INT) throw new FormatError("range");
		b.t[i] = t;
	}
}

function at(b: Batch, i: number): number {
	return b.t[i] ?? 0;
}
