import { expect, it } from "vitest";
import type { Part } from "../port";
import { DeviceStore } from "./device";
import { pieces, restore } from "./reload";
import { info } from "./testing";

const MINUTE = 60_000;
const CPU = info({ periodMs: 1_000 }, "host/cpu", 1);
const LOG = info({ kind: "text" }, "log", 2);

/** give hands samples of the first stream to a store: one a second, with the values of their numbers. */
function give(store: DeviceStore, epoch: string, from: number, n: number): void {
	const seqs = Array.from({ length: n }, (_, i) => from + i);
	const data = Float64Array.from([...seqs, ...seqs.map((seq) => seq * 1_000), ...seqs.map((seq) => seq / 2)]);
	const part: Part = {
		stream: 1,
		epoch,
		n,
		seq: 0,
		t: n,
		v: 2 * n,
		text: -1,
		retainedMs: null,
		late: false,
		restored: false,
	};
	store.samples({ type: "samples", parts: [part], data, texts: [] }, 0);
}

function described(): DeviceStore {
	const store = new DeviceStore();
	store.describe([CPU, LOG]);
	return store;
}

it("gives the charts of a page to its next life: ten minutes, with what is missing, and goes on behind them", () => {
	const before = described();
	give(before, "0000000a", 1, 900);
	give(before, "0000000a", 905, 10);
	const kept = pieces(before, 914_000);
	const after = described();
	restore(after, kept);
	const stream = after.streams.get(1);
	if (!stream) throw new Error("no stream");
	expect([stream.ring.count, stream.ring.time(0)]).toEqual([597, 914_000 - 10 * MINUTE]);
	expect(stream.ring.missing(stream.ring.firstAt(905_000))).toBe(4);
	expect(stream.latest).toMatchObject({ seq: 914, time: 914_000, value: 457, retained: true });
	expect(after.received).toBe(0);
	give(after, "0000000a", 914, 1);
	give(after, "0000000a", 917, 1);
	expect([stream.ring.count, stream.ring.missing(stream.ring.count - 1)]).toEqual([598, 2]);
	expect(stream.latest).toMatchObject({ seq: 917, retained: false });
});

it("keeps the epochs apart, and long stretches in pieces that are small enough", () => {
	const before = described();
	give(before, "0000000a", 100, 3);
	give(before, "0000000b", 1, 3_000);
	const kept = pieces(before, 0);
	expect(kept.map(({ seqs }) => seqs.length)).toEqual([1_920, 1_083]);
	const after = described();
	restore(after, kept);
	const ring = after.streams.get(1)?.ring;
	expect([ring?.count, ring?.seq(0), ring?.seq(3), ring?.missing(3)]).toEqual([3_003, 100, 1, -1]);
	give(after, "0000000b", 3_000, 2);
	expect(ring?.count).toBe(3_004);
});

it("leaves streams alone that something new has come of", () => {
	const before = described();
	give(before, "0000000a", 1, 5);
	const after = described();
	give(after, "0000000b", 1, 2);
	restore(after, pieces(before, 0));
	expect(after.streams.get(1)?.ring.count).toBe(2);
});
