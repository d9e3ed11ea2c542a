import { expect, it } from "vitest";
import { DeviceClock } from "./clock";

it("takes the newest sample for a guess, until it is measured", () => {
	const clock = new DeviceClock();
	clock.heard(5_000, 1_000);
	clock.heard(5_010, 1_030); // came later than the first: its age is not zero
	expect(clock.toDevice(2_000)).toBe(6_000);
	clock.measured(4_100, 5);
	expect(clock.toDevice(2_000)).toBe(6_100);
	clock.heard(99_999, 1_000);
	expect(clock.toPage(6_100)).toBe(2_000);
});

it("follows small corrections slowly and large ones at once", () => {
	const clock = new DeviceClock();
	clock.measured(0, 5);
	clock.measured(40, 5);
	expect(clock.toDevice(0)).toBe(10);
	expect(clock.measured(-86_400_000, 5)).toBe(-86_400_040);
	expect(clock.toDevice(0)).toBe(-86_400_000);
});
