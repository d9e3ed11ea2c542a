import { expect, it } from "vitest";
import { StreamStore } from "../../store/stream";
import { info } from "../../store/testing";
import { newestRows } from "./table";

/** stream has a sample of each value at its time. */
function stream(samples: [number, number][]): StreamStore {
	const store = new StreamStore(info(), 1024);
	for (const [i, [time, value]] of samples.entries()) store.ring.add(i + 1, time, value);
	return store;
}

const x = stream([
	[100, 1],
	[200, 2],
	[300, 3],
]);
const y = stream([
	[85, 10],
	[250, 20],
	[299, 30],
]);

it("lists the newest first, and what was sampled together in one row", () => {
	expect(newestRows([x, y], 1_000)).toEqual([
		{ time: 300, values: [3, 30] },
		{ time: 250, values: [Number.NaN, 20] },
		{ time: 200, values: [2, Number.NaN] },
		{ time: 100, values: [1, 10] },
	]);
	expect(newestRows([x, y], 1_000, 2)).toHaveLength(2);
});

it("ends at the time of a held axis, and is empty before the first sample", () => {
	expect(newestRows([x, y], 250).map(({ time }) => time)).toEqual([250, 200, 100]);
	expect(newestRows([x, y], 84)).toEqual([]);
	expect(newestRows([], 84)).toEqual([]);
});
