import { expect, test } from "vitest";
import { EventStream } from "./events";

/** read gives a stream in pieces of a length. */
function read(text: string, length = Infinity): string[] {
	const events: string[] = [];
	const stream = new EventStream((data) => events.push(data));
	const bytes = new TextEncoder().encode(text);
	for (let at = 0; at < bytes.length; at += length) stream.push(bytes.subarray(at, at + length));
	return events;
}

test.each([
	["data: abc\n\n", ["abc"]],
	["data:abc\n\ndata:d\n\n", ["abc", "d"]],
	["data: a\r\n\r\ndata: b\r\rdata: c\n\n", ["a", "b", "c"]],
	["data: a\ndata: b\n\n", ["a\nb"]],
	[":\n\n: comment\ndata: a\n\n", ["a"]],
	["event: x\nid: 7\nretry: 5\ndata\ndata: ü\n\n", ["ü"]],
	["data: not finished\n", []],
])("%j", (text, events) => {
	for (const length of [1, 2, 3, 5, Infinity]) expect(read(text, length)).toEqual(events);
});

test("an event longer than any packet is none", () => {
	const stream = new EventStream(() => undefined);
	const piece = new TextEncoder().encode("x".repeat(40_000));
	expect(stream.push(new TextEncoder().encode("data: "))).toBe(true);
	expect([1, 2, 3, 4].map(() => stream.push(piece))).toEqual([true, true, true, false]);
});
