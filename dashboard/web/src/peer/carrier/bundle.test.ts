import { expect, test } from "vitest";
import { MAX_PACKET } from "../wire";
import { Bundle } from "./bundle";

function bundle(...lengths: number[]): Bundle {
	const made = new Bundle();
	for (const length of lengths) made.add(new Uint8Array(length));
	return made;
}

/** sizes sends all that waits, and notes the packets' sizes. */
function sizes(of: Bundle): number[] {
	const sent = [];
	for (; !of.empty; of.taken()) sent.push(of.packet().length);
	return sent;
}

test("what waits goes together, up to the size of a packet", () => {
	expect(sizes(bundle(1, 2, 3))).toEqual([6]);
	expect(sizes(bundle(40_000, 25_536, 1, 65_536, 2))).toEqual([MAX_PACKET, 1, MAX_PACKET, 2]);
});

test("a packet stays the same until it was taken, whatever comes", () => {
	const made = bundle(10);
	expect(made.packet()).toHaveLength(10);
	made.add(new Uint8Array(5));
	expect(made.packet()).toHaveLength(10);
	expect(made.bytes).toBe(15);
	made.taken();
	expect([made.packet().length, made.bytes]).toEqual([5, 5]);
});

test("a packet that is refused for its size comes in halves, and so does what follows", () => {
	const made = bundle(3_000, 3_000, 3_000, 3_000);
	made.packet();
	expect(made.tooLarge()).toBeNull();
	made.add(new Uint8Array(3_000));
	expect(sizes(made)).toEqual([6_000, 6_000, 3_000]);
});

test("a frame that is refused alone is dropped; small ones still go together", () => {
	const made = bundle(1_500, 400, 400);
	made.packet();
	expect(made.tooLarge()).toBeNull();
	expect(made.packet()).toHaveLength(1_500);
	expect(made.tooLarge()).toHaveLength(1_500);
	expect(made.bytes).toBe(800);
	expect(sizes(made)).toEqual([800]);
});
