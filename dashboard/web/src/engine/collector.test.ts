import { expect, test } from "vitest";
import type { Rung } from "../peer/ladder";
import { Batch, type Kind, type Value } from "../peer/telemetry";
import { type Collected, Collector, type Hole } from "./collector";

function batch(kind: Kind, ...values: Value[]): Batch {
	const b = new Batch();
	b.reset(kind);
	values.forEach((value, i) => {
		b.add(1_000_000 + i * 1000, value);
	});
	return b;
}

const of = (change: Partial<Collected>): Collected => ({
	stream: 1,
	epoch: "0000000a",
	seq: 5,
	skip: 0,
	take: 1,
	retainedMs: null,
	late: false,
	restored: false,
	event: false,
	shift: 0,
	...change,
});

test("a pull gives all columns in one array, and then nothing", () => {
	const c = new Collector(() => undefined);
	c.add(batch("number", 1.5, 2.5, 3.5), of({ skip: 1, take: 2 }));
	c.add(batch("bool", true, false), of({ stream: 2, take: 2, shift: 7 }));
	c.add(batch("text", "a", "b\u001b\u202e"), of({ stream: 3, skip: 1 }));
	c.add(batch("bytes", new Uint8Array([1, 255])), of({ stream: 4 }));
	const samples = c.take();
	expect(samples?.data).toEqual(
		new Float64Array([6, 7, 1001, 1002, 2.5, 3.5, 5, 6, 1007, 1008, 1, 0, 6, 1001, 5, 1000, 2]),
	);
	expect(samples?.texts).toEqual(["b"]);
	expect(samples?.parts.map(({ n, seq, t, v, text }) => [n, seq, t, v, text])).toEqual([
		[2, 0, 2, 4, -1],
		[2, 6, 8, 10, -1],
		[1, 12, 13, -1, 0],
		[1, 14, 15, 16, -1],
	]);
	expect(c.take()).toBeNull();
});

test("what waits is told with the best rung that it came on", () => {
	const c = new Collector(() => undefined);
	c.add(batch("number", 1, 2), of({ seq: 3, take: 2, rung: "ws" }));
	c.add(batch("number", 3), of({ rung: "ws" }));
	c.add(batch("number", 4), of({ seq: 6, rung: "udp" }));
	c.add(batch("number", 5), of({ seq: 7 }));
	const copy = (seq: number, count: number, rung: Rung, stream = 1) =>
		c.copy({ stream, epoch: "0000000a", seq, count }, rung);
	copy(5, 1, "udp", 2);
	copy(4, 1, "udp"); // not all that came together
	copy(6, 1, "ws");
	copy(7, 1, "udp");
	const rungs = () => c.take()?.parts.map(({ rung }) => rung);
	copy(5, 2, "udp");
	expect(rungs()).toEqual(["ws", "udp", "udp", undefined]);
	c.add(batch("number", 1, 2), of({ seq: 3, take: 2, rung: "ws" }));
	copy(2, 3, "udp");
	expect(rungs()).toEqual(["udp"]);
});

test("when nobody pulls the oldest Live samples go first, counted, and Events stay", () => {
	const holes: Hole[] = [];
	const c = new Collector((hole) => holes.push(hole));
	const thousand = batch("number", ...new Array<number>(1000).fill(1));
	c.add(thousand, of({ take: 1000, event: true, seq: 1 }));
	for (let i = 0; i < 1000; i++) c.add(thousand, of({ take: 1000, stream: 2, seq: 1 + i * 1000 }));
	const samples = c.take();
	expect(holes).toEqual([]);
	expect(samples?.data.length).toBeLessThanOrEqual(2 ** 21);
	expect(samples?.parts[0]?.stream).toBe(1);
	const kept = samples?.parts.slice(1) ?? [];
	expect(samples?.dropped).toBe(1_000_000 - kept.length * 1000);
	const first = kept[0];
	expect(first && samples?.data[first.seq]).toBe((1000 - kept.length) * 1000 + 1);
	expect(first && samples?.data[first.v + 999]).toBe(1);
});

test("Events beyond the bound are declared as holes", () => {
	const holes: Hole[] = [];
	const c = new Collector((hole) => holes.push(hole));
	const b = batch("text", "line");
	for (let i = 1; i <= 2 ** 14 + 1; i++) c.add(b, of({ seq: i, event: true }));
	expect(holes[0]).toEqual({ stream: 1, epoch: "0000000a", from: 1, to: 1 });
	const samples = c.take();
	expect(holes.length + (samples?.texts.length ?? 0)).toBe(2 ** 14 + 1);
	expect(samples?.data[0]).toBe(holes.length + 1);
});
