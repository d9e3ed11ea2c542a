import { describe, expect, test } from "vitest";
import { FormatError, MAX_COUNT, MAX_INT, MAX_TEXT, Writer } from "../wire";
import { faultOf, Random } from "../wire/testing";
import { append, Batch, decode, KINDS, type Value } from ".";

function batchOf(kind: Batch["kind"], ...samples: [number, Value][]): Batch {
	const b = new Batch();
	b.reset(kind);
	for (const [t, value] of samples) b.add(t, value);
	return b;
}

const encode = (b: Batch) => append(new Writer(), b).finish();

describe("what must not be sent is refused", () => {
	test.each([
		["another kind", () => batchOf("number", [0, "x"]), "kind"],
		["NaN", () => batchOf("number", [0, Number.NaN]), "not-finite"],
		["infinity", () => batchOf("number", [0, -Infinity]), "not-finite"],
		["a long text", () => batchOf("text", [0, "é".repeat(MAX_TEXT / 2 + 1)]), "long"],
		["half a surrogate pair", () => batchOf("text", [0, "\ud83d"]), "utf8"],
		["long bytes", () => batchOf("bytes", [0, new Uint8Array(MAX_TEXT + 1)]), "long"],
		["nothing", () => encode(new Batch()), "count"],
		["a time beyond 2^53", () => encode(batchOf("number", [MAX_INT + 1, 1])), "range"],
		["a fraction of a µs", () => encode(batchOf("number", [0.5, 1])), "range"],
		["a leap of 200 years", () => encode(batchOf("number", [0, 1], [MAX_INT, 2])), "range"],
	])("%s", (_, make, fault) => {
		expect(faultOf(make)).toBe(fault);
	});

	test("one sample too many leaves a full batch as it was", () => {
		const b = new Batch();
		for (let i = 0; i < MAX_COUNT; i++) b.add(i, i);
		expect(() => b.add(MAX_COUNT, 1)).toThrow(FormatError);
		expect(b.length).toBe(MAX_COUNT);
		encode(b);
	});
});

test("times before 1970 count as 1970", () => {
	const b = new Batch();
	decode(b, encode(batchOf("number", [-20, 1], [-10, 2], [0, 3], [10, 4])), 4);
	expect(Array.from(b.t.subarray(0, 4))).toEqual([0, 0, 0, 10]);
});

function drawValue(random: Random, kind: Batch["kind"], style: number): Value {
	switch (kind) {
		case "bool":
			return random.bool();
		case "text":
			return String.fromCodePoint(...Array.from({ length: random.int(0, 9) }, () => random.int(0, 0xd7ff)));
		case "bytes":
			return random.bytes(random.int(0, 20));
		default:
			return drawNumber(random, style);
	}
}

function drawNumber(random: Random, style: number): number {
	const sign = random.bool() ? 1 : -1;
	if (style === 0) return sign * random.magnitude(52) || 0;
	if (style === 1) return Math.fround(sign * random.next() * 10 ** random.int(-30, 30));
	return sign * random.next() * 10 ** random.int(-300, 300);
}

function drawBatch(random: Random): Batch {
	const b = new Batch();
	b.reset(random.pick(KINDS));
	const style = random.int(0, 2);
	const step = random.int(-1000, 1_000_000);
	const jitter = random.bool() ? 0 : 5000;
	let t = 2 ** 50 + random.magnitude(51);
	for (let n = random.int(1, 40); n > 0; n--) {
		b.add(t, drawValue(random, b.kind, style));
		t += step + random.int(-jitter, jitter);
	}
	return b;
}

function same(a: Batch, b: Batch): void {
	expect(b.kind).toBe(a.kind);
	expect(b.length).toBe(a.length);
	expect(b.t.subarray(0, b.length)).toEqual(a.t.subarray(0, a.length));
	if (a.kind === "number" || a.kind === "bool") {
		expect(b.numbers.subarray(0, b.length)).toEqual(a.numbers.subarray(0, a.length));
	}
	expect(b.texts).toEqual(a.texts);
	expect(b.blobs.map(String)).toEqual(a.blobs.map(String));
}

describe("by chance", () => {
	test("what was encoded is decoded, and nothing that was cut short", () => {
		const random = new Random(1);
		const got = new Batch();
		for (let round = 0; round < 500; round++) {
			const want = drawBatch(random);
			const payload = encode(want);
			decode(got, payload, want.length);
			same(want, got);
			expect(faultOf(() => decode(got, payload.subarray(0, -1), want.length))).toBe("short");
		}
	});

	test("damaged payloads are decoded or refused, and what was decoded can be encoded", () => {
		const random = new Random(2);
		const got = new Batch();
		let refused = 0;
		for (let round = 0; round < 3000; round++) {
			const whole = drawBatch(random);
			const count = random.bool() ? whole.length : random.int(-1, MAX_COUNT + 1);
			const payload = random.damage(encode(whole));
			if (faultOf(() => decode(got, payload, count)) !== null) {
				refused++;
				expect(got.length).toBe(0);
				continue;
			}
			expect(got.length).toBe(count);
			expect(encode(got).length).toBeLessThanOrEqual(payload.length);
		}
		expect(refused).toBeGreaterThan(300);
	});
});
