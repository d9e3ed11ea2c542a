import { describe, expect, test } from "vitest";
import { Writer } from "../wire";
import { faultOf, hex, repoFile, unhex } from "../wire/testing";
import { append, Batch, decode } from ".";

/** A line of the golden file, as Go's vectors_test.go describes it. */
interface Vector {
	name: string;
	count: number;
	payload: string;
	error?: string;
	canonical?: boolean;
	kind?: Batch["kind"];
	t?: number[];
	numbers?: number[];
	bools?: boolean[];
	texts?: string[];
	blobs?: string[];
}

const vectors: Vector[] = JSON.parse(repoFile("peer/telemetry/testdata/vectors.json"));

function values(v: Vector): (number | boolean | string | Uint8Array)[] {
	return v.numbers ?? v.bools ?? v.texts ?? v.blobs?.map(unhex) ?? [];
}

/** columns are what a batch holds, to be compared; Object.is tells the two zeros apart. */
function columns(b: Batch) {
	const numeric = b.kind === "number" || b.kind === "bool";
	return {
		kind: b.kind,
		t: Array.from(b.t.subarray(0, b.length)),
		values: numeric ? Array.from(b.numbers.subarray(0, b.length)) : b.kind === "text" ? b.texts : b.blobs.map(hex),
	};
}

describe("golden payloads", () => {
	const batch = new Batch(); // one for all: what it held before must not show

	test("there are some of all sorts", () => {
		expect(vectors.filter((v) => v.canonical).length).toBeGreaterThan(20);
		expect(vectors.filter((v) => v.error).length).toBeGreaterThan(20);
	});

	test.each(vectors.filter((v) => v.error))("refused: $name", ({ payload, count, error }) => {
		expect(faultOf(() => decode(batch, unhex(payload), count))).toBe(error);
		expect(batch.length).toBe(0);
	});

	test.each(vectors.filter((v) => !v.error))("decoded: $name", (v) => {
		decode(batch, unhex(v.payload), v.count);
		const want = v.bools?.map(Number) ?? v.numbers ?? v.texts ?? v.blobs;
		expect(columns(batch)).toEqual({ kind: v.kind, t: v.t, values: want });
	});

	test.each(vectors.filter((v) => v.canonical))("encoded: $name", (v) => {
		batch.reset(v.kind ?? "number");
		values(v).forEach((value, i) => {
			batch.add(v.t?.[i] ?? 0, value);
		});
		expect(hex(append(new Writer(), batch).finish())).toBe(v.payload);
	});
});
