import { expect, test } from "vitest";
import type { FromControl, LeaseInfo } from "../../port";
import { leaseWords, silence, silenceWords, stateWords } from "./heard";

const beat = (tickAgeMs: number | null): Extract<FromControl, { type: "control.state" }> => ({
	type: "control.state",
	driving: "no",
	tickAgeMs,
	desired: [],
	sent: 0,
});

test("what a device said counts while its clock is heard, and for 2 s", () => {
	expect(silence(null, 0, 9_000)).toBeNull();
	expect(silence(beat(400), 1_000, 1_250)).toBeNull();
	expect(silence(beat(2_000), 1_000, 900)).toBeNull(); // the page's second ticks later than the beat came
	expect(silence(beat(2_001), 1_000, 1_000)).toBe(2_001);
	expect(silence(beat(null), 1_000, 1_000)).toBe(Number.POSITIVE_INFINITY);
	expect(silence(beat(100), 1_000, 8_000)).toBe(7_100); // the Worker says nothing any more
});

test("nothing is said to be so of a device that is not heard", () => {
	expect([stateWords(null, false), stateWords(null, true)]).toEqual(["Safe", "Obeys setpoints"]);
	expect([stateWords(5_000, false), stateWords(5_000, true)]).toEqual(["Not known", "Not known"]);
	expect(silenceWords(12_300)).toBe("Nothing heard from it for 12 s");
	expect(silenceWords(Number.POSITIVE_INFINITY)).toBe("Nothing heard from it yet");
});

test("who had control may not have it any more", () => {
	const lease = { holder: null, mine: false, asks: [], code: "", reason: "", lost: false } as unknown as LeaseInfo;
	const bob = { id: "b", name: "Bob", role: "operator" };
	const words = (silentMs: number | null) =>
		[
			lease,
			{ ...lease, holder: bob },
			{ ...lease, holder: { ...bob, name: "" } },
			{ ...lease, holder: bob, mine: true },
		].map((one) => leaseWords(silentMs, one));
	expect(words(null)).toEqual(["Nobody has control", "Bob has control", "Somebody has control", "You have control"]);
	expect(words(3_000)).toEqual([
		"Not known who has control",
		"Bob had control when last heard",
		"Somebody had control when last heard",
		"You had control when last heard",
	]);
});
