import { expect, test } from "vitest";
import { appendSignal } from "../signal";
import {
	appendFrame,
	hop,
	MAX_PACKET,
	TYPE_ACK,
	TYPE_COMMAND,
	TYPE_DRIVE,
	TYPE_PROBE,
	TYPE_TICK,
	Writer,
} from "../wire";
import { Bundle, bodyOf, type Packet } from "./bundle";
import { frame } from "./contract.testing";

function bundle(...lengths: number[]): Bundle {
	const made = new Bundle();
	for (const length of lengths) made.add(frame(1, length));
	return made;
}

/** next is the next packet, whatever is under way. */
function next(of: Bundle): Packet {
	return of.take(() => true) ?? { frames: [], bytes: 0, kind: "control" };
}

/** sizes sends all that waits, and notes the packets' sizes. */
function sizes(of: Bundle): number[] {
	const sent = [];
	while (!of.empty) {
		const packet = next(of);
		sent.push(bodyOf(packet).length);
		of.taken(packet);
	}
	return sent;
}

test("what waits goes together, up to the size of a packet", () => {
	expect(sizes(bundle(10, 20, 30))).toEqual([60]);
	expect(sizes(bundle(40_000, 25_536, 10, 65_536, 20))).toEqual([MAX_PACKET, 10, MAX_PACKET, 20]);
});

test("what was taken is not taken again, and counts until it has arrived", () => {
	const made = bundle(10);
	const first = next(made);
	made.add(frame(2, 15));
	expect(made.take(() => false)).toBeNull();
	expect([first.bytes, made.bytes]).toEqual([10, 25]);
	made.taken(first);
	expect([next(made).bytes, made.bytes, made.empty]).toEqual([15, 15, true]);
});

test("a packet that is refused for its size comes in halves, and so does what follows", () => {
	const made = bundle(3_000, 3_000, 3_000, 3_000);
	const first = made.tooLarge(next(made));
	expect(first.bytes).toBe(6_000);
	made.taken(first);
	made.add(frame(1, 3_000));
	expect(sizes(made)).toEqual([6_000, 3_000]);
	expect([made.bytes, made.cap]).toEqual([0, 6_000]);
});

test("a frame that is refused alone is dropped; small ones still go together", () => {
	const made = bundle(1_500, 400, 400);
	const long = made.tooLarge(next(made));
	expect(long.bytes).toBe(1_500);
	expect(made.tooLarge(long).bytes).toBe(0);
	expect(made.bytes).toBe(800);
	expect(sizes(made)).toEqual([800]);
});

test("the strictest of its frames says what may go beside a packet", () => {
	const of = (type: number) => appendFrame(new Writer(), type, hop(), new Uint8Array(4)).finish();
	const signal = appendSignal(new Writer(), hop(), { type: "end" }).finish();
	const kinds = (...frames: Uint8Array[]) => {
		const made = new Bundle();
		for (const each of frames) made.add(each);
		return next(made).kind;
	};
	expect(kinds(of(TYPE_ACK), of(TYPE_PROBE))).toBe("control");
	expect(kinds(of(TYPE_ACK), of(TYPE_TICK), of(TYPE_DRIVE))).toBe("free");
	expect(kinds(of(TYPE_DRIVE), of(TYPE_COMMAND))).toBe("ordered");
	expect(kinds(of(TYPE_COMMAND), signal, of(TYPE_ACK))).toBe("alone");
});

test("a packet that is longer than all that have arrived goes alone", () => {
	const made = bundle(1_024, 64_000, 2_000, 60_000);
	const kinds = [];
	while (!made.empty) {
		const packet = next(made);
		kinds.push(packet.kind);
		made.taken(packet);
	}
	expect(kinds).toEqual(["alone", "ordered"]);
});
