import { describe, expect, it } from "vitest";
import { Ring } from "./ring";

const MIB = 1024 * 1024;

function seqs(ring: Ring): number[] {
	return Array.from({ length: ring.count }, (_, row) => ring.seq(row));
}

function filled(...numbers: number[]): Ring {
	const ring = new Ring(MIB);
	for (const seq of numbers) ring.add(seq, seq * 10, seq / 2);
	return ring;
}

describe("Ring", () => {
	it("keeps columns in order of the sequence, whatever the order of arrival", () => {
		const ring = filled(1, 2, 5, 3, 6, 4);
		expect(seqs(ring)).toEqual([1, 2, 3, 4, 5, 6]);
		expect([ring.time(2), ring.value(2)]).toEqual([30, 1.5]);
	});

	it("refuses what it has", () => {
		const ring = filled(1, 2, 3);
		expect(ring.add(2, 20, 99)).toBe(false);
		expect(ring.add(3, 30, 99)).toBe(false);
		expect([ring.count, ring.value(1)]).toEqual([3, 1]);
	});

	it("tells how many samples are missing before a row", () => {
		const ring = filled(1, 2, 6);
		expect([ring.missing(0), ring.missing(1), ring.missing(2)]).toEqual([0, 0, 3]);
		ring.add(4, 40, 2);
		expect([ring.missing(2), ring.missing(3)]).toEqual([1, 1]);
	});

	it("begins anew with an epoch, and breaks there", () => {
		const ring = filled(100, 101);
		ring.startEpoch();
		ring.add(2, 1_020, 1);
		ring.add(1, 1_010, 1);
		expect(seqs(ring)).toEqual([100, 101, 1, 2]);
		expect([ring.missing(2), ring.missing(3)]).toEqual([-1, 0]);
	});

	it("breaks where a gap of unknown length was declared", () => {
		const ring = filled(1, 2);
		ring.breakHere();
		ring.add(3, 30, 1);
		ring.add(4, 40, 1);
		expect([ring.missing(2), ring.missing(3)]).toEqual([-1, 0]);
	});

	it("grows to its bound and then overwrites the oldest", () => {
		const ring = new Ring(1_024 * 25);
		for (let seq = 1; seq <= 5_000; seq++) expect(ring.add(seq, seq, seq)).toBe(true);
		expect(ring.count).toBe(1_024);
		expect([ring.seq(0), ring.seq(1_023), ring.total]).toEqual([3_977, 5_000, 5_000]);
		expect(ring.add(3_000, 3_000, 0)).toBe(false);
		expect(ring.add(5_001, 5_001, 0)).toBe(true);
		expect(seqs(ring)).toEqual(Array.from({ length: 1_024 }, (_, i) => 3_978 + i));
	});

	it("puts a late sample in its place when it is full, too", () => {
		const ring = new Ring(1);
		for (let seq = 1; seq <= 2_000; seq++) if (seq !== 1_990) ring.add(seq, seq, seq);
		ring.add(1_990, 1_990, 7);
		const row = ring.firstAt(1_990);
		expect([ring.seq(row - 1), ring.seq(row), ring.seq(row + 1), ring.value(row)]).toEqual([1_989, 1_990, 1_991, 7]);
	});

	it("finds the first row at or after a time", () => {
		const ring = filled(1, 2, 3, 7);
		expect([0, 10, 11, 30, 31, 70, 71].map((t) => ring.firstAt(t))).toEqual([0, 0, 1, 2, 3, 3, 4]);
	});

	it("says once from when on something changed", () => {
		const ring = filled(1, 2, 3);
		expect(ring.takeTouched()).toBe(10);
		expect(ring.takeTouched()).toBe(Number.POSITIVE_INFINITY);
		ring.add(5, 50, 0);
		ring.add(4, 40, 0);
		expect(ring.takeTouched()).toBe(40);
	});
});
