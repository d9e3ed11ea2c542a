import { expect, test } from "vitest";
import { Meter } from "./meter";

test("loss is that of the last minute, and a hole that fills late is taken back", () => {
	const m = new Meter();
	expect(m.lossPercent(0)).toBeNull();
	m.measure(1_000, { delivered: 90, lost: 10 });
	expect(m.lossPercent(1_000)).toBe(10);
	m.measure(30_000, { delivered: 195, lost: 5 });
	expect(m.lossPercent(30_000)).toBeCloseTo(2.5);
	expect(m.lossPercent(62_000)).toBe(0);
	expect(m.lossPercent(200_000)).toBeNull();
});

test("a new epoch begins the counts anew", () => {
	const m = new Meter();
	m.measure(1_000, { delivered: 1000, lost: 0 });
	m.measure(2_000, { delivered: 10, lost: 0 });
	m.received(2_000, 10_100);
	expect(m.bytesPerSample(2_000)).toBe(10);
});
