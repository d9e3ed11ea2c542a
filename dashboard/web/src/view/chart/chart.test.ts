import { describe, expect, it } from "vitest";
import { Random } from "../../peer/wire/testing";
import { Pace } from "./pace";
import { type Range, settle } from "./range";
import { clockTicks, liveLabel, liveParts, liveTicks, valueTicks } from "./ticks";
import { Timeline } from "./timeline";

describe("Timeline", () => {
	function at(now: number): Timeline {
		const timeline = new Timeline();
		timeline.tick(now);
		return timeline;
	}

	it("moves with the clock while live, and stands still when paused", () => {
		const timeline = at(1e6);
		expect([timeline.start, timeline.end, timeline.behind]).toEqual([940_000, 1e6, 0]);
		timeline.pause();
		timeline.tick(1_037_000);
		expect([timeline.end, timeline.behind, timeline.live]).toEqual([1e6, 37_000, false]);
		timeline.goLive();
		expect([timeline.end, timeline.live]).toEqual([1_037_000, true]);
	});

	it("zooms around a time, within bounds", () => {
		const timeline = at(1e6);
		timeline.zoomAt(970_000, 0.5);
		expect([timeline.start, timeline.end]).toEqual([955_000, 985_000]);
		timeline.zoomAt(970_000, 1e-9);
		expect(timeline.end - timeline.start).toBe(20);
		timeline.zoomAt(970_000, 1e12);
		expect(timeline.end - timeline.start).toBe(1_800_000);
		expect(timeline.end).toBeLessThanOrEqual(1e6);
	});

	it("zooms to a stretch in either order, and pans no further than now", () => {
		const timeline = at(1e6);
		timeline.zoomTo(980_000, 960_000);
		expect([timeline.start, timeline.end]).toEqual([960_000, 980_000]);
		timeline.pan(-5_000);
		expect([timeline.start, timeline.end]).toEqual([955_000, 975_000]);
		timeline.pan(1e9);
		expect([timeline.start, timeline.end]).toEqual([980_000, 1e6]);
	});

	it("shows the same when the device's clock is set, paused or not", () => {
		const timeline = at(1e6);
		timeline.cursor = 950_000;
		timeline.clockSet(86_400_000);
		expect([timeline.end, timeline.cursor, timeline.live]).toEqual([87_400_000, 87_350_000, true]);
		timeline.pause();
		timeline.clockSet(-86_400_000);
		expect([timeline.start, timeline.end, timeline.behind]).toEqual([940_000, 1e6, 0]);
		timeline.tick(1_001_000);
		expect(timeline.behind).toBe(1_000);
	});
});

describe("ranges", () => {
	const settled = (shown: Range, low: number, high: number, min: number | null = null, max: number | null = null) => {
		settle(shown, { low, high }, min, max, false);
		return shown;
	};

	it("widen at once and narrow late, so that the axis keeps still", () => {
		const shown = settled({ low: 0, high: 0 }, 10, 20);
		expect(shown).toEqual({ low: 9.2, high: 20.8 });
		expect(settled({ ...shown }, 11, 19)).toEqual(shown);
		expect(settled({ ...shown }, 10, 21).high).toBeGreaterThan(21);
		expect(settled({ ...shown }, 14, 15).high).toBeLessThan(16);
	});

	it("keep the nominal bounds unless the data leave them", () => {
		expect(settled({ low: 0, high: 0 }, 20, 40, 0, 100)).toEqual({ low: 0, high: 100 });
		expect(settled({ low: 0, high: 0 }, -20, 40, 0, 100).low).toBeLessThan(-20);
	});

	it("give a constant value and no value some room", () => {
		const constant = settled({ low: 0, high: 0 }, 5, 5);
		expect(constant.low < 5 && constant.high > 5).toBe(true);
		expect(settled({ low: 0, high: 0 }, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toEqual({
			low: 0,
			high: 1,
		});
	});
});

describe("ticks", () => {
	it("of values are round, in powers of two for bytes", () => {
		expect(valueTicks(0, 100, 4, false).at).toEqual([0, 25, 50, 75, 100]);
		expect(valueTicks(49.9, 51.6, 4, false).at).toEqual([50, 50.5, 51, 51.5]);
		expect(valueTicks(0, 4096, 4, true).at).toEqual([0, 1024, 2048, 3072, 4096]);
	});

	it("of a live window stand still and are round times ago", () => {
		const labels = (span: number) =>
			liveTicks(0, span, liveParts(span, false)).map((t, i) => liveLabel(span - t, span, i === 0));
		expect(labels(60_000)).toEqual(["−60 s", "−45", "−30", "−15", "now"]);
		expect(labels(300_000)).toEqual(["−5 min", "−4", "−3", "−2", "−1", "now"]);
		expect(labels(1_800_000)).toEqual(["−30 min", "−25", "−20", "−15", "−10", "−5", "now"]);
	});

	it("of a held window are round times of day", () => {
		expect(clockTicks(1_234, 9_876, 4)).toEqual({ at: [5_000], step: 5_000 });
		expect(clockTicks(1_000, 5_000, 4).at).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
	});

	it("are few and end, whatever the values are", () => {
		const random = new Random(8);
		const nasty = [0, 5e-324, 1e-310, 0.3, 1, 2 ** 53, 1e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY];
		const any = () => random.pick(nasty) * random.pick([1, -1]);
		for (let i = 0; i < 20_000; i++) {
			const a = any();
			const b = random.pick([any(), a * (1 + random.int(0, 3) * Number.EPSILON), a + random.int(0, 2)]);
			const [low, high] = [Math.min(a, b), Math.max(a, b)];
			const nominal = () => (random.bool() ? any() : null);
			const shown = { low: 0, high: 0 };
			settle(shown, { low, high }, nominal(), nominal(), random.bool());
			expect(shown.high - shown.low).toBeGreaterThan(0);
			expect(shown.high - shown.low).toBeLessThan(Number.POSITIVE_INFINITY);
			const wanted = random.int(1, 12);
			for (const range of [shown, { low, high }]) {
				const { at } = valueTicks(range.low, range.high, wanted, random.bool());
				expect(at.length).toBeLessThanOrEqual(wanted + 2);
				expect(at.every(Number.isFinite)).toBe(true);
			}
			expect(clockTicks(low, high, wanted).at.length).toBeLessThanOrEqual(wanted + 2);
		}
	});

	it("are there when two values are neighbours", () => {
		const shown = { low: 0, high: 0 };
		settle(shown, { low: 0.3, high: 0.30000000000000004 }, null, null, false);
		expect(valueTicks(shown.low, shown.high, 5, false).at.length).toBeGreaterThan(1);
		expect(valueTicks(0.3, 0.30000000000000004, 5, false).at).toEqual([]);
	});
});

it("Pace draws less often where frames come late, and recovers", () => {
	const pace = new Pace();
	for (let i = 0; i < 300; i++) pace.frame(i * 33);
	expect(pace.stretch).toBeGreaterThan(4);
	const waiting = pace.interval(60_000, 600, true);
	expect(waiting).toBeCloseTo(25 * pace.stretch);
	for (let i = 0; i < 2_000; i++) pace.frame(300 * 33 + i * 16.7);
	expect(pace.stretch).toBe(1);
});
