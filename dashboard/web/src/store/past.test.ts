import { describe, expect, it } from "vitest";
import type { Part } from "../port";
import { DeviceStore } from "./device";
import { StreamStore } from "./stream";
import { info } from "./testing";

const MIB = 1024 * 1024;

/** samples makes a part of these numbers; a sample's time is base + 10 × number. */
function samples(epoch: string, base: number, numbers: number[], past?: true): { part: Part; data: Float64Array } {
	const n = numbers.length;
	const data = Float64Array.from([
		...numbers,
		...numbers.map((seq) => base + 10 * seq),
		...numbers.map((seq) => seq / 2),
	]);
	const how = { retainedMs: null, late: false, restored: false, ...(past === undefined ? {} : { past }) };
	return { part: { stream: 1, epoch, n, seq: 0, t: n, v: 2 * n, text: -1, ...how }, data };
}

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function live(store: StreamStore, epoch: string, base: number, numbers: number[]): void {
	const { part, data } = samples(epoch, base, numbers);
	store.accept(part, data, []);
}

function past(store: StreamStore, epoch: string, base: number, numbers: number[]): void {
	const { part, data } = samples(epoch, base, numbers, true);
	store.past.add(part, data);
}

function rows({ ring }: StreamStore): string {
	const marks = range(0, ring.count - 1).map(
		(row) => `${ring.missing(row) === 0 ? "" : `(${ring.missing(row)})`}${ring.seq(row)}`,
	);
	return marks.join(" ");
}

describe("What a device kept", () => {
	it("comes before what is live, and fills what is missing in it", () => {
		const store = new StreamStore(info(), MIB);
		live(store, "b", 1_000, [8, 9, 13, 14]);
		past(store, "a", 0, [1, 2, 3]);
		past(store, "b", 1_000, range(1, 13));
		store.fill();
		expect(rows(store)).toBe(`1 2 3 (-1)${range(1, 14).join(" ")}`);
		live(store, "b", 1_000, [15]);
		expect(store.ring.missing(store.ring.count - 1)).toBe(0);
		expect(store.latest.seq).toBe(15);
	});

	it("leaves a gap where it has one", () => {
		const store = new StreamStore(info(), MIB);
		live(store, "b", 0, [10]);
		past(store, "b", 0, [1, 2, 5, 6]);
		store.fill();
		expect(rows(store)).toBe("1 2 (2)5 6 (3)10");
	});

	it("is there once, however often it comes, also beside what was kept in the browser", () => {
		const store = new StreamStore(info(), MIB);
		const kept = new StreamStore(info(), MIB);
		live(kept, "a", 0, range(4, 8));
		const copy = kept.copy(0, 100);
		if (copy === null) throw new Error("nothing to restore");
		store.restore("a", copy.columns);
		live(store, "b", 1_000, [3, 4]);
		for (let i = 0; i < 2; i++) {
			past(store, "a", 0, range(1, 12));
			past(store, "b", 1_000, range(1, 4));
			store.fill();
		}
		expect(rows(store)).toBe(`${range(1, 12).join(" ")} (-1)1 2 3 4`);
	});

	it("continues with what is live when nothing was there", () => {
		const store = new StreamStore(info(), MIB);
		past(store, "a", 0, [1, 2]);
		past(store, "b", 1_000, [1, 2, 3]);
		store.fill();
		live(store, "b", 1_000, [4, 5]);
		expect(rows(store)).toBe("1 2 (-1)1 2 3 4 5");
	});

	it("keeps the newest of what does not fit", () => {
		const store = new StreamStore(info(), 1_024 * 25);
		live(store, "b", 100_000, range(2_001, 2_010));
		past(store, "b", 100_000, range(1, 2_000));
		store.fill();
		expect([store.ring.count, store.ring.seq(0), store.ring.seq(1_023)]).toEqual([1_024, 987, 2_010]);
	});

	it("tells that a number has a fraction", () => {
		const store = new StreamStore(info(), MIB);
		live(store, "b", 0, [10]);
		expect(store.whole).toBe(true);
		past(store, "b", 0, [1, 2]);
		store.fill();
		expect(store.whole).toBe(false);
	});

	it("goes on behind the newest epoch, where the ring is full too", () => {
		const store = new StreamStore(info(), 1_024 * 25);
		live(store, "b", 100_000, range(1, 900));
		past(store, "a", 0, range(1, 500));
		store.fill();
		expect(rows(store)).toBe(`${range(377, 500).join(" ")} (-1)${range(1, 900).join(" ")}`);
		live(store, "b", 100_000, [902, 901, 3]);
		expect(rows(store)).toBe(`${range(379, 500).join(" ")} (-1)${range(1, 902).join(" ")}`);
	});

	it("is put in its place stream by stream, so that inputs do not wait for all of them", () => {
		const store = new DeviceStore();
		const ids = range(1, 7);
		store.describe(ids.map((id) => info({}, `s${id}`, id)));
		const { part, data } = samples("a", 0, range(1, 100), true);
		store.samples({ type: "samples", parts: ids.map((stream) => ({ ...part, stream })), data, texts: [] }, 0);
		store.pastDone();
		const filled = () => [...store.streams.values()].filter(({ ring }) => ring.count === 100).length;
		let now = 0;
		const counts = range(0, 3).map(() => {
			store.fill(0, () => now++); // each look at the clock finds it a ms later
			return filled();
		});
		expect(counts).toEqual([3, 6, 7, 7]);
	});

	it("comes until none has come for half a second, and all of it is in its place", () => {
		const store = new DeviceStore();
		store.describe([info({}, "s", 1)]);
		expect(store.fills(10_000)).toBe(false);
		const { part, data } = samples("a", 0, [1, 2]);
		store.samples({ type: "samples", parts: [part], data, texts: [] }, 10_000);
		expect(store.fills(10_000)).toBe(false);
		store.samples({ type: "samples", parts: [{ ...part, past: true }], data, texts: [] }, 10_000);
		expect([10_000, 10_400, 10_600].map((now) => store.fills(now))).toEqual([true, true, false]);
		store.pastDone();
		expect(store.fills(20_000)).toBe(true);
		store.fill(20_000);
		expect(store.fills(20_000)).toBe(false);
	});
});
