import { describe, expect, it } from "vitest";
import { Buckets } from "./buckets";
import { Ring } from "./ring";

const LIMIT = 4 * 1024 * 1024;

/** The plain truth that buckets have to agree with: low and high of each bucket, from all rows. */
function plain(ring: Ring, width: number, start: number, end: number): Map<number, [number, number]> {
	const found = new Map<number, [number, number]>();
	for (let row = 0; row < ring.count; row++) {
		const k = Math.floor(ring.time(row) / width);
		if (k < Math.floor(start / width) || k > Math.floor(end / width)) continue;
		const value = ring.value(row);
		const [low, high] = found.get(k) ?? [value, value];
		found.set(k, [Math.min(low, value), Math.max(high, value)]);
	}
	return found;
}

function seen(buckets: Buckets, start: number, end: number): Map<number, [number, number]> {
	const found = new Map<number, [number, number]>();
	for (let k = buckets.index(start); k <= buckets.index(end); k++) {
		const slot = buckets.slot(k);
		if (buckets.has(k)) found.set(k, [buckets.low[slot] ?? Number.NaN, buckets.high[slot] ?? Number.NaN]);
	}
	return found;
}

/** A small generator of repeatable chance. */
function chance(seed: number): () => number {
	let x = seed;
	return () => {
		x = (x * 16_807) % 2_147_483_647;
		return x / 2_147_483_647;
	};
}

describe("Buckets", () => {
	it("agree with a full count, whatever comes late and wherever one looks", () => {
		const random = chance(42);
		const ring = new Ring(LIMIT);
		const buckets = new Buckets(100, 60, 0);
		const waiting: number[] = [];
		for (let seq = 1, now = 1e12; seq < 4_000; seq++, now += 10) {
			if (random() < 0.05) waiting.push(seq);
			else ring.add(seq, 1e12 + seq * 10, Math.sin(seq / 50) + random());
			if (random() < 0.04) for (const late of waiting.splice(0)) ring.add(late, 1e12 + late * 10, random() * 3);
			if (seq % 7 !== 0) continue;
			const back = random() < 0.1 ? random() * 20_000 : 0;
			const [start, end] = [now - back - 6_000, now - back];
			buckets.refresh(ring, start, end);
			expect(seen(buckets, start, end)).toEqual(plain(ring, 100, start, end));
		}
	});

	it("break at a hole that is wider than a bucket, and only there", () => {
		const ring = new Ring(LIMIT);
		for (const seq of [1, 2, 3, 5, 6, 40, 41]) ring.add(seq, seq * 10, 1);
		const fine = new Buckets(10, 100, 0);
		fine.refresh(ring, 0, 500);
		expect([2, 3, 5, 6, 40, 41].map((k) => fine.broken[fine.slot(k)])).toEqual([0, 0, 1, 0, 1, 0]);
		expect(fine.gapStart[fine.slot(40)]).toBe(60);
		const coarse = new Buckets(100, 10, 0);
		coarse.refresh(ring, 0, 500);
		expect(coarse.broken[coarse.slot(4)]).toBe(1);
		expect(coarse.broken[coarse.slot(0)]).toBe(0);
	});

	it("break at a silence beyond the patience, although no sample is missing", () => {
		const ring = new Ring(LIMIT);
		ring.add(1, 1_000, 1);
		ring.add(2, 2_000, 1);
		ring.add(3, 9_000, 1);
		const patient = new Buckets(100, 200, 0);
		patient.refresh(ring, 0, 10_000);
		expect(patient.broken[patient.slot(90)]).toBe(0);
		const strict = new Buckets(100, 200, 3_000);
		strict.refresh(ring, 0, 10_000);
		expect([strict.broken[strict.slot(20)], strict.broken[strict.slot(90)]]).toEqual([0, 1]);
	});
});
