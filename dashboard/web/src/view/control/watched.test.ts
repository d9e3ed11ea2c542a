import { expect, test } from "vitest";
import type { Part } from "../../port";
import { DeviceStore } from "../../store/device";
import { info } from "../../store/testing";
import { holderWords, stoppedWords, watched } from "./watched";

const META = { source: "control", periodMs: null };
const HOLDER = info({ ...META, kind: "text" }, "control/holder", 1);
const STOPPED = info({ ...META, kind: "bool" }, "control/stopped", 2);

function store(...streams: (typeof HOLDER)[]): DeviceStore {
	const made = new DeviceStore();
	made.describe(streams);
	return made;
}

/** say is a sample of a stream, at the same time as its number. */
function say(to: DeviceStore, stream: number, seq: number, value: string | number): void {
	const text = typeof value === "string";
	const where = { seq: 0, t: 1, v: text ? -1 : 2, text: text ? 0 : -1 };
	const part: Part = { stream, epoch: "e", n: 1, ...where, retainedMs: null, late: false, restored: false };
	const data = Float64Array.of(seq, seq, text ? 0 : value);
	to.samples({ type: "samples", parts: [part], data, texts: text ? [value] : [] }, seq);
}

test("what the device says of its control is shown, and what it has not said is not known", () => {
	const device = store(HOLDER, STOPPED);
	const words = () => {
		const state = watched(device, 10);
		return state && [holderWords(state), stoppedWords(state), state.old];
	};
	expect(words()).toEqual(["Unknown who has control", "Unknown whether it is stopped", false]);
	say(device, 1, 1, "");
	say(device, 2, 1, 0);
	expect(words()).toEqual(["Nobody has control", "Not stopped", false]);
	say(device, 1, 2, "Ada");
	say(device, 2, 2, 1);
	expect(words()).toEqual(["Ada has control", "Stopped", false]);
});

test("without a path for a while it may be out of date", () => {
	const device = store(HOLDER, STOPPED);
	say(device, 1, 1, "Ada");
	device.reached(false, 1_000);
	expect(watched(device, 1_900)?.old).toBe(false);
	expect(watched(device, 2_100)?.old).toBe(true);
	device.reached(true, 3_000);
	expect(watched(device, 3_000)?.old).toBe(false);
});

test("a device without control, or with streams that only have such names, shows none", () => {
	expect(watched(store(HOLDER), 0)).toBeNull();
	expect(watched(store(info({ kind: "text" }, "control/holder", 1), STOPPED), 0)).toBeNull();
	expect(watched(store(info({ ...META, kind: "number" }, "control/holder", 1), STOPPED), 0)).toBeNull();
});

test("a name that is too long is cut", () => {
	const device = store(HOLDER, STOPPED);
	say(device, 1, 1, "x".repeat(500));
	expect(watched(device, 0)?.holder).toHaveLength(64);
});
