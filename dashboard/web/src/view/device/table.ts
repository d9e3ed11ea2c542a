import type { StreamStore } from "../../store/stream";

/** Rows of a card's table. */
export const TABLE_ROWS = 8;

/** Samples of several streams within this share of their period, and at least so many ms, were taken together. */
const TOGETHER = 0.25;
const TOGETHER_MS = 1;

/** Row is a time, and what the streams had then: NaN where one had no sample. */
export interface Row {
	time: number;
	values: number[];
}

/** newestRows are the newest samples up to a time, the newest first; what was sampled together shares a row. */
export function newestRows(streams: readonly StreamStore[], until: number, count = TABLE_ROWS): Row[] {
	const next = streams.map(({ ring }) => {
		const after = ring.firstAt(until);
		return after < ring.count && ring.time(after) === until ? after : after - 1;
	});
	const together = Math.max(TOGETHER_MS, TOGETHER * Math.min(...streams.map(({ info }) => info.meta.periodMs ?? 0)));
	const rows: Row[] = [];
	while (rows.length < count) {
		const times = streams.map(({ ring }, i) =>
			(next[i] ?? -1) >= 0 ? ring.time(next[i] as number) : Number.NEGATIVE_INFINITY,
		);
		const time = Math.max(...times);
		if (time === Number.NEGATIVE_INFINITY) break;
		const values = streams.map(({ ring }, i) => {
			if (time - (times[i] as number) >= together) return Number.NaN;
			const value = ring.value(next[i] as number);
			next[i] = (next[i] as number) - 1;
			return value;
		});
		rows.push({ time, values });
	}
	return rows;
}
