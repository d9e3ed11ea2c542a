import { describe, expect, it } from "vitest";
import type { Part } from "../port";
import { type Contact, type Gap, StreamStore } from "./stream";
import { info } from "./testing";

const LIMIT = 1024 * 1024;

function give(store: StreamStore, seq: number, values: number[], change: Partial<Part> = {}): number {
	const n = values.length;
	const data = Float64Array.from(
		[...values.keys()]
			.map((i) => seq + i)
			.concat(
				[...values.keys()].map((i) => (seq + i) * 100),
				values,
			),
	);
	const part = {
		stream: 1,
		epoch: "0000000a",
		n,
		seq: 0,
		t: n,
		v: 2 * n,
		text: -1,
		retainedMs: null,
		late: false,
		restored: false,
		...change,
	};
	return store.accept(part, data, []);
}

describe("StreamStore", () => {
	it("never lets the current value go backward", () => {
		const store = new StreamStore(info(), LIMIT);
		give(store, 10, [1, 2]);
		expect(give(store, 8, [7, 8], { late: true })).toBe(2);
		expect([store.latest.seq, store.latest.value, store.ring.count]).toEqual([11, 2, 4]);
		expect(give(store, 8, [7, 8], { late: true })).toBe(0);
	});

	it("ignores what comes late from a producer that is gone", () => {
		const store = new StreamStore(info(), LIMIT);
		give(store, 50, [1]);
		give(store, 1, [2], { epoch: "0000000b" });
		expect(give(store, 51, [3], { late: true })).toBe(0);
		expect(store.latest.value).toBe(2);
	});

	it("marks a retained value until a live one comes", () => {
		const store = new StreamStore(info(), LIMIT);
		give(store, 5, [1], { retainedMs: 40_000 });
		expect(store.latest.retained).toBe(true);
		give(store, 9, [2]);
		expect(store.latest.retained).toBe(false);
		expect(store.ring.missing(1)).toBe(3);
	});

	it("is stale after three periods, but not within a second", () => {
		const fast = new StreamStore(info({ periodMs: 10 }), LIMIT);
		give(fast, 1, [1]); // at 100
		expect([fast.isStale(1_000), fast.isStale(1_101)]).toEqual([false, true]);
		const slow = new StreamStore(info({ periodMs: 2_000 }), LIMIT);
		give(slow, 1, [1]);
		expect([slow.isStale(6_000), slow.isStale(6_101)]).toEqual([false, true]);
	});

	it("without a period is stale only when nothing reaches the device", () => {
		const contact: Contact = { lostAt: null };
		const store = new StreamStore(info({ periodMs: null, kind: "bool" }), LIMIT, contact);
		give(store, 1, [1]);
		expect([store.isStale(1e9), store.heldUntil(1e9)]).toEqual([false, 1e9]);
		contact.lostAt = 5_000;
		expect([store.isStale(5_500), store.isStale(7_000), store.heldUntil(7_000)]).toEqual([false, true, 5_000]);
	});

	it("knows the value at a time, and none inside a gap", () => {
		const store = new StreamStore(info(), LIMIT);
		give(store, 1, [1, 2, 3]); // at 100, 200, 300
		give(store, 20, [9]); // at 2000
		expect(store.valueAt(140)).toBe(1);
		expect(store.valueAt(160)).toBe(2);
		expect(store.valueAt(1_000)).toBeNaN();
		expect(store.valueAt(1_900)).toBe(9);
		expect(store.valueAt(5_000)).toBeNaN();
	});

	it("holds an on/off value until the next", () => {
		const store = new StreamStore(info({ kind: "bool" }), LIMIT);
		give(store, 1, [1, 0]);
		expect([store.valueAt(150), store.valueAt(250)]).toEqual([1, 0]);
		expect(store.valueAt(50)).toBeNaN();
	});

	it("notes gaps of texts among them, in place", () => {
		const store = new StreamStore(info({ kind: "text" }), LIMIT);
		store.accept(textAt("0000000a"), Float64Array.from([1, 100]), ["one"]);
		store.accept(textAt("0000000a"), Float64Array.from([9, 900]), ["nine"]); // a kept value, before what it follows
		store.gap(gap("0000000a", 2, 4));
		store.accept(textAt("0000000a"), Float64Array.from([5, 500]), ["five"]);
		expect(shown(store)).toEqual(["one", "ring 3", "five", "nine"]);
		expect(store.missing).toBe(3);
	});

	it("puts a gap of an earlier epoch before what came of this one", () => {
		const store = new StreamStore(info({ kind: "text" }), LIMIT);
		store.accept({ ...textAt("0000000a"), restored: true }, Float64Array.from([7, 100]), ["seven"]);
		store.accept({ ...textAt("0000000b"), retainedMs: 5 }, Float64Array.from([3, 200]), ["three"]);
		store.gap({ ...gap("0000000a", 8, null), reason: "restart" });
		store.accept(textAt("0000000b"), Float64Array.from([1, 180]), ["one"]);
		store.gap(gap("0000000c", 1, 2));
		store.accept(textAt("0000000c"), Float64Array.from([3, 300]), ["three again"]);
		expect(shown(store).splice(4)).toEqual(["ring 2", "three again"]);
		expect(shown(store).slice(0, 4)).toEqual(["seven", "restart -1", "one", "three"]);
	});
});

function textAt(epoch: string): Part {
	return { stream: 1, epoch, n: 1, seq: 0, t: 1, v: -1, text: 0, retainedMs: null, late: false, restored: false };
}

function gap(epoch: string, from: number, to: number | null): Gap {
	return { type: "gap", stream: 1, epoch, from, to, reason: "ring" };
}

function shown(store: StreamStore): string[] {
	return store.log.lines.map(({ text, missing }) => (missing === 0 ? text : `${text} ${missing}`));
}
