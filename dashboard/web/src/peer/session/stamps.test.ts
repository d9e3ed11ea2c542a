import { expect, test } from "vitest";
import { Stamps } from ".";

test("times that go back, or are ahead of the clock, are a sign once", () => {
	const ms = 1_000;
	const day = 86_400_000 * ms;
	const stamps = new Stamps();
	const steps: [epoch: number, seq: number, t: number, ahead: number, want: boolean][] = [
		[7, 1, 10 * day, -5 * ms, false],
		[7, 3, 10 * day + 20 * ms, -5 * ms, false],
		[7, 2, 9 * day, -day, false], // it was overtaken
		[7, 4, 10 * day - 60 * ms, -90 * ms, false], // two threads of a program
		[7, 5, 9 * day, -day, true],
		[7, 6, 9 * day + 10 * ms, -day, false],
		[7, 7, 11 * day, day, true],
		[7, 8, 11 * day + 10 * ms, day, false], // said once
		[7, 9, 11 * day + 20 * ms, -5 * ms, false],
		[8, 1, day, -10 * day, false], // another run may have another clock
		[9, 1, 20 * day, 10 * day, true],
	];
	for (const [epoch, seq, t, ahead, want] of steps)
		expect(stamps.turned({ epoch, seq, count: 1 }, t, ahead)).toBe(want);
});
