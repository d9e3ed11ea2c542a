import type { StreamStore } from "../../store/stream";

/** So many of a stream's newest samples are looked through: what comes together is no further apart. */
const LOOKED = 64;

/**
 * newestMoment is the newest time after another one of which all streams have a
 * sample, and these samples' values; null: there is none. The streams' newest
 * samples need not be of one time: they travel in packets, of which some are
 * lost and some come late.
 */
export function newestMoment(
	streams: readonly StreamStore[],
	after: number,
): { time: number; values: number[] } | null {
	const [first, ...others] = streams;
	if (first === undefined) return null;
	const { ring } = first;
	for (let row = ring.count - 1; row >= Math.max(0, ring.count - LOOKED); row--) {
		const time = ring.time(row);
		if (time <= after) return null;
		const rows = others.map((other) => rowAt(other, time));
		if (rows.every((found) => found >= 0)) {
			const values = others.map((other, i) => other.ring.value(rows[i] ?? 0));
			return { time, values: [ring.value(row), ...values] };
		}
	}
	return null;
}

/** rowAt is the row of the sample of a time; −1: there is none. */
function rowAt({ ring }: StreamStore, time: number): number {
	const row = ring.firstAt(time);
	return row < ring.count && ring.time(row) === time ? row : -1;
}
