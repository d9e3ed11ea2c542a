import { expect, test } from "vitest";
import { hop, nextFrame, Reader, TYPE_SIGNAL, Writer } from "../wire";
import { faultOf } from "../wire/testing";
import { appendSignal, encode, type FromViewer, formatEpoch, formatPosition, parseEpoch, parsePosition } from ".";

test("a signal is a frame whose body is its JSON", () => {
	const open: FromViewer = { type: "open", device: "Büro", id: "u", want: ["*"], positions: { 3: "0000000a:12" } };
	const frame = nextFrame(new Reader(appendSignal(new Writer(), hop({ conn: 1 }), open).finish()));
	expect([frame.type, frame.hop.conn]).toEqual([TYPE_SIGNAL, 1]);
	expect(JSON.parse(new TextDecoder().decode(frame.body))).toEqual(open);
});

test("one that is too large is not sent", () => {
	expect(faultOf(() => encode({ type: "offer", attempt: 1, sdp: "x".repeat(60000) }))).toBe("signal");
});

test("positions and epochs are read as they are written", () => {
	for (const epoch of [1, 10, 0xffffffff]) {
		expect(parseEpoch(formatEpoch(epoch))).toBe(epoch);
		expect(parsePosition(formatPosition(epoch, 2 ** 53 - 1))).toEqual({ epoch, seq: 2 ** 53 - 1 });
	}
	expect(formatPosition(10, 12)).toBe("0000000a:12");
	for (const text of [
		"",
		":",
		"1:",
		":1",
		"x:1",
		"1:x",
		"123456789:1",
		"1:-1",
		"1:1.5",
		"1:9007199254740992",
		"1:1 ",
	]) {
		expect(parsePosition(text), text).toBeNull();
	}
});
