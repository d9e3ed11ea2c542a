import { describe, expect, it } from "vitest";
import { type DeviceRecord, merge, newDevice } from "./device";
import type { Entry, What } from "./entry";

const of = (what: What, change: Partial<Entry> = {}): Entry =>
	({ id: 1, name: "log", epoch: 10, ...what, ...change }) as Entry;
const batch = (seq: number, count = 1): What => ({
	what: "batch",
	seq,
	count,
	skip: 0,
	take: count,
	payload: new Uint8Array(8),
});
const start = (seq: number): What => ({ what: "start", seq });
const gap = (from: number, to: number | null): What => ({ what: "gap", from, to, reason: 1 });

/** said is what of the entries is kept, in short. */
function said(record: DeviceRecord, ...entries: Entry[]): string[] {
	return merge(record, "pi", entries, 5).entries.map((entry) => {
		if (entry.what === "gap") return `gap ${entry.from}-${entry.to}`;
		return `${entry.epoch}: ${entry.seq + entry.skip}+${entry.take}`;
	});
}

describe("merge", () => {
	it("keeps batches and gaps and moves the places, starts included", () => {
		const record = newDevice("aa");
		expect(said(record, of(start(4)))).toEqual([]);
		expect(record).toMatchObject({ next: 0, at: 5, name: "pi", places: [{ name: "log", epoch: 10, seq: 4 }] });
		expect(said(record, of(batch(5, 3)), of(gap(8, 9)), of(batch(10)))).toEqual(["10: 5+3", "gap 8-9", "10: 10+1"]);
		expect(record).toMatchObject({ next: 1, events: 5, places: [{ seq: 10, final: null }] });
		expect(record.bytes).toBe(2 * 8 + 3 * 64);
	});

	it("takes once what two tabs bring", () => {
		const record = newDevice("aa");
		said(record, of(start(0)), of(batch(1, 4)));
		expect(said(record, of(start(2)), of(batch(3, 2)), of(batch(3, 4)), of(gap(5, 8)), of(gap(8, 8)))).toEqual([
			"10: 5+2",
			"gap 7-8",
		]);
		expect(record.places[0]?.seq).toBe(8);
	});

	it("begins anew with a new epoch, and an old one does not come back", () => {
		const record = newDevice("aa");
		said(record, of(batch(7)));
		expect(said(record, of(gap(8, null)), of(gap(8, null)))).toEqual(["gap 8-null"]);
		expect(record.places[0]).toMatchObject({ seq: 7, final: 7 });
		expect(said(record, of(start(0), { epoch: 11, id: 3 }), of(batch(1), { epoch: 11 }), of(batch(9)))).toEqual([
			"11: 1+1",
		]);
		expect(record.places[0]).toMatchObject({ epoch: 11, seq: 1, final: null });
	});

	it("remembers a goodbye", () => {
		const record = newDevice("aa");
		said(record, of(batch(7)), of({ what: "final", seq: 9 }));
		expect(record.places[0]).toMatchObject({ seq: 7, final: 9 });
	});

	it("keeps a place for each stream", () => {
		const record = newDevice("aa");
		said(record, of(batch(7)), of(batch(2), { name: "alarm", id: 2 }));
		expect(record.places.map(({ name, seq }) => `${name} ${seq}`)).toEqual(["log 7", "alarm 2"]);
	});
});
