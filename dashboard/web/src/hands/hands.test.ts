import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Axis, Target } from "../port";
import { Hands } from "./hands";
import { cleanPadSettings, PAD_DEFAULTS, PadHand, readPad } from "./pad";
import { deadzone, expo, toDeflection, toValue } from "./shape";

const axis = (change: Partial<Axis>): Axis => ({
	id: 1,
	name: "drive",
	label: "",
	unit: "",
	min: -2,
	max: 2,
	slew: 0,
	neutral: 0,
	stream: "",
	...change,
});
const AXES = [axis({}), axis({ id: 2, name: "lift", min: 0, max: 10, neutral: 2 })];

let sent: { hand: number; targets: Target[] }[];
let why: string;
let told: [boolean, string][];
let hands: Hands;

beforeEach(() => {
	vi.useFakeTimers();
	sent = [];
	why = "";
	told = [];
	hands = new Hands({
		send: (hand, targets) => sent.push({ hand, targets }),
		absent: () => why,
		now: () => Date.now(),
		first: 10,
	});
	hands.listen((held, reason) => told.push([held, reason]));
	hands.of(AXES);
});
afterEach(() => vi.useRealTimers());

const values = () => sent.at(-1)?.targets.map(({ value }) => value);
const counted = (ms: number) => {
	sent = [];
	vi.advanceTimersByTime(ms);
	return sent.length;
};

test("a hand is counted while it holds something, and never otherwise", () => {
	expect(counted(1_000)).toBe(0);
	hands.grip("stick", new Map([[1, 0.5]]));
	expect([sent[0]?.hand, values()]).toEqual([11, [1, 2]]);
	expect(counted(400)).toBe(10);
	hands.letGo("stick");
	expect([values(), counted(1_000)]).toEqual([[0, 2], 0]);
	expect(told).toEqual([
		[true, ""],
		[false, ""],
	]);
});

test("of two inputs on an axis the one that pushes further counts", () => {
	hands.grip("keys", new Map([[1, 1]]));
	hands.grip(
		"slider",
		new Map([
			[1, -0.5],
			[2, -1],
		]),
	);
	expect(values()).toEqual([2, 0]);
	hands.letGo("keys");
	expect(values()).toEqual([-1, 0]);
	hands.letGo("never held");
	expect(hands.held).toBe(true);
});

test("a page that cannot have a hand releases it at the next beat, and takes none", () => {
	hands.grip("stick", new Map([[1, 1]]));
	why = "a dialog was opened";
	counted(40);
	expect([hands.held, values(), told.at(-1)]).toEqual([false, [0, 2], [false, why]]);
	expect(hands.grip("stick", new Map([[1, 1]]))).toBe(false);
	expect(counted(1_000)).toBe(0);
});

test("what was released has to let go before it holds again", () => {
	hands.grip("stick", new Map([[1, 1]]));
	hands.release("control was lost");
	expect(hands.grip("stick", new Map([[1, 1]]))).toBe(false);
	expect(hands.grip("keys", new Map([[1, 1]]))).toBe(true);
	hands.letGo("stick");
	expect(hands.grip("stick", new Map([[1, 1]]))).toBe(true);
});

test("a page that hung had no hand meanwhile, whatever was held", () => {
	hands.grip("stick", new Map([[1, 1]]));
	vi.setSystemTime(Date.now() + 160); // no timer ran
	vi.advanceTimersByTime(40);
	expect([hands.held, told.at(-1)?.[0], values()]).toEqual([false, false, [0, 2]]);
	hands.letGo("stick");
	hands.grip("stick", new Map([[1, 1]]));
	vi.setSystemTime(Date.now() + 160);
	expect(hands.grip("stick", new Map([[1, 0.9]]))).toBe(false); // an event came before the timer
	expect(hands.held).toBe(false);
});

test("an input that is not asked any more holds nothing, though the page counts on", () => {
	hands.grip("pad", new Map([[1, 1]]), true);
	vi.advanceTimersByTime(80);
	hands.grip("pad", new Map([[1, 1]]), true);
	vi.advanceTimersByTime(120);
	expect(hands.held).toBe(true);
	vi.advanceTimersByTime(40); // no frame was drawn
	expect([hands.held, told.at(-1)?.[0], values()]).toEqual([false, false, [0, 2]]);
	hands.letGo("pad");
	hands.grip("stick", new Map([[1, 1]]));
	vi.advanceTimersByTime(1_000);
	expect(hands.held).toBe(true);
});

test("without axes there is nothing to hold, and what was held is let go", () => {
	hands.grip("stick", new Map([[1, 1]]));
	hands.of([]);
	expect([hands.held, values()]).toEqual([false, [0, 2]]);
	expect(hands.grip("stick", new Map([[1, 1]]))).toBe(false);
});

test("a deflection is 0 where the axis is neutral, and its ends are the axis' ends", () => {
	const lift = axis({ min: 0, max: 10, neutral: 2 });
	expect([-1, -0.5, 0, 0.5, 1, 7].map((d) => toValue(lift, d))).toEqual([0, 1, 2, 6, 10, 10]);
	for (const d of [-1, -0.25, 0, 0.75, 1]) expect(toDeflection(lift, toValue(lift, d))).toBeCloseTo(d);
	expect(toDeflection(axis({ min: 0, neutral: 0 }), 0)).toBe(0);
});

test("the dead zone has no step at its edge, expo none anywhere", () => {
	expect([0.1, -0.1, 0, Number.NaN].map((d) => deadzone(d, 0.12))).toEqual([0, 0, 0, 0]);
	expect(deadzone(0.121, 0.12)).toBeLessThan(0.01);
	expect([deadzone(1, 0.12), deadzone(-1, 0.12)]).toEqual([1, -1]);
	expect([expo(1, 0.7), expo(-1, 0.7), expo(0, 0.7)]).toEqual([1, -1, 0]);
	expect(expo(0.5, 0.7)).toBeLessThan(expo(0.5, 0));
});

const pad = (axes: number[], id = "a", index = 0) => ({ id, index, connected: true, mapping: "standard", axes });

test("a pad's stick points right and up; raw axes are chosen, inverted ones are", () => {
	expect(readPad(pad([1, -1]), PAD_DEFAULTS)).toEqual({ x: 1, y: 1 });
	const raw = { ...PAD_DEFAULTS, mapping: "raw", x: 3, y: 2, invertX: true } as const;
	expect(readPad(pad([0, 0, 1, 1]), raw)).toEqual({ x: -1, y: -1 });
	expect(readPad(pad([]), raw)).toEqual({ x: 0, y: 0 });
});

test("a pad that lies on its stick is no hand, nor is one that was just plugged in", () => {
	const hand = new PadHand();
	expect(hand.read(pad([0.9, 0]), PAD_DEFAULTS)).toBeNull();
	expect(hand.read(pad([0.05, 0]), PAD_DEFAULTS)).toBeNull();
	expect(hand.read(pad([0.9, 0]), PAD_DEFAULTS)?.x).toBeGreaterThan(0.7);
	hand.rest();
	expect(hand.read(pad([0.9, 0]), PAD_DEFAULTS)).toBeNull();
	hand.read(pad([0, 0]), PAD_DEFAULTS);
	expect(hand.read(pad([0.9, 0], "another"), PAD_DEFAULTS)).toBeNull();
	hand.read(pad([0, 0], "another"), PAD_DEFAULTS);
	expect(hand.read(pad([0.9, 0], "another", 1), PAD_DEFAULTS)).toBeNull(); // the same kind
	hand.read(pad([0, 0], "another"), PAD_DEFAULTS);
	expect(hand.read({ ...pad([0.9, 0], "another"), connected: false }, PAD_DEFAULTS)).toBeNull();
	expect(hand.read(pad([0.9, 0], "another"), PAD_DEFAULTS)).toBeNull();
});

test("stored settings that make no sense are as by default", () => {
	expect(cleanPadSettings(null)).toEqual(PAD_DEFAULTS);
	expect(cleanPadSettings({ mapping: "odd", x: -1, y: 99, deadzone: "wide", expo: 2, invertX: 1 })).toEqual(
		PAD_DEFAULTS,
	);
	const mine = { ...PAD_DEFAULTS, mapping: "raw", x: 3, invertY: true, deadzone: 0.2 };
	expect(cleanPadSettings(mine)).toEqual(mine);
});
