import type { Buckets } from "../../store/buckets";

/** Range is the span of a chart's values. It is written in place: one per chart, no garbage per frame. */
export interface Range {
	low: number;
	high: number;
}

/** Above the share of the range that the data fill at least before the range is made narrower. */
const SHRINK_BELOW = 0.55;
const PADDING = 0.08;
/** A range is at least this share of its values: beyond that nobody can tell their labels apart, and then numbers cannot be. */
const NARROWEST = 1e-9;
/** Nothing further out is drawn: the span of a range must be a number, too. */
const FURTHEST = Number.MAX_VALUE / 4;

/** extend widens a range by what the buckets between two times hold. */
export function extend(range: Range, buckets: Buckets, start: number, end: number): void {
	const last = buckets.index(end);
	for (let k = buckets.index(start); k <= last; k++) {
		const slot = buckets.slot(k);
		if (buckets.key[slot] !== k) continue;
		const low = buckets.low[slot] as number;
		const high = buckets.high[slot] as number;
		if (low < range.low) range.low = low;
		if (high > range.high) range.high = high;
	}
}

/**
 * settle turns the extent of the data into the range that is drawn. It widens
 * at once, and narrows only when the data fill little of it, so that the axis
 * keeps still. min and max are the stream's nominal range; data beyond it are
 * shown all the same.
 */
export function settle(shown: Range, data: Range, min: number | null, max: number | null, force: boolean): void {
	if (data.low > data.high) {
		if (!(shown.low < shown.high) || force) set(shown, min ?? 0, max ?? (min ?? 0) + 1);
		return;
	}
	const [from, to] = [within(data.low), within(data.high)];
	const pad = (to - from) * PADDING || Math.max(Math.abs(to) * 0.05, 0.5);
	const low = bound(min, from - pad, from, Math.min);
	const high = bound(max, to + pad, to, Math.max);
	const fits = shown.low < shown.high && from >= shown.low && to <= shown.high;
	const fills = (high - low) / (shown.high - shown.low);
	if (force || !fits || !(fills >= SHRINK_BELOW)) set(shown, low, high);
}

/** A nominal bound holds unless the data go beyond it. */
function bound(nominal: number | null, padded: number, data: number, outer: (a: number, b: number) => number): number {
	if (nominal === null) return padded;
	return outer(nominal, data) === nominal ? nominal : padded;
}

function set(range: Range, low: number, high: number): void {
	const [from, to] = [within(low), within(high)];
	const least = Math.max(Math.max(Math.abs(from), Math.abs(to)) * NARROWEST, to > from ? 0 : 1);
	const lacks = Math.max(0, least - (to - from));
	range.low = from - lacks / 2;
	range.high = to + lacks / 2;
}

function within(value: number): number {
	return Math.min(FURTHEST, Math.max(-FURTHEST, value));
}
