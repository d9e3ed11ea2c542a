import { describe, expect, test } from "vitest";
import { FormatError, MAX_AXES, MAX_COMMAND } from "../wire";
import { faultOf, Random } from "../wire/testing";
import { encode, parse } from ".";

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const hear = (value: unknown) => parse(bytes(value));

const AXIS = { id: 1, name: "drive", min: -1, max: 1, neutral: 0 };

test("each outcome is read with its members", () => {
	expect(hear({ type: "call", id: "i", state: "running", progress: 0.5 })).toEqual({
		type: "call",
		id: "i",
		code: "",
		reason: "",
		epoch: 0,
		at: 0,
		state: "running",
		progress: 0.5,
		result: undefined,
		tookUs: 0,
	});
	const holder = { id: "0123456789abcdef", name: "Ada", role: "operator" };
	expect(hear({ type: "lease", id: "i", fence: 7, holder, mine: true, ttl_ms: 5000, asks: [holder] })).toMatchObject({
		fence: 7,
		holder,
		mine: true,
		ttlMs: 5000,
		asks: [holder],
	});
	expect(hear({ type: "stop", stopped: true, by: "Ada", since: 5, took_us: 900 })).toMatchObject({
		id: "",
		stopped: true,
		by: "Ada",
		since: 5,
		tookUs: 900,
	});
	const machine = {
		name: "rover",
		methods: [{ name: "home", danger: true }],
		axes: [AXIS],
		deadman_ms: 300,
	};
	expect(hear({ type: "machine", machine, moving: true })).toMatchObject({
		description: {
			name: "rover",
			methods: [{ name: "home", danger: true, lease: false }],
			axes: [AXIS],
			deadmanMs: 300,
		},
		moving: true,
	});
	expect(hear({ type: "machine", code: "not-offered" })).toMatchObject({ description: null, code: "not-offered" });
});

test("what a later version says is skipped", () => {
	expect(hear({ type: "weather", id: "i" })).toBeNull();
});

describe("what cannot be meant is refused", () => {
	test.each([
		["no JSON", "{"],
		["no object", "[]"],
		["no type", {}],
		["an unknown state", { type: "call", id: "i", state: "perhaps" }],
		["a number for a text", { type: "stop", by: 5 }],
		["a fence beyond 2^53", '{"type":"lease","fence":1e300}'],
		["too deep", "[".repeat(17)],
		["too long", `{"type":"stop","by":"${"x".repeat(MAX_COMMAND)}"}`],
		["axes that are no list", { type: "machine", machine: { axes: 5 } }],
	])("%s", (_, value) => {
		expect(faultOf(() => hear(value))).toBe("signal");
	});
});

test("axes and methods that cannot be used are left out", () => {
	const axes = [
		AXIS,
		{ ...AXIS, name: "the same number" },
		{ ...AXIS, id: 0 },
		{ ...AXIS, id: MAX_AXES + 1 },
		{ ...AXIS, id: 2, min: 1, max: 1 },
		{ ...AXIS, id: 3, neutral: 2 },
	];
	const methods = [{ name: "a" }, { name: "a" }, { name: "" }, { name: "b\u202e" }, { name: "x".repeat(200) }];
	const heard = hear({ type: "machine", machine: { axes, methods } });
	expect(heard).toMatchObject({ description: { axes: [AXIS], methods: [{ name: "a" }] } });
	expect(heard?.type === "machine" && [heard.description?.axes.length, heard.description?.methods.length]).toEqual([
		1, 1,
	]);
	const many = Array.from({ length: 500 }, (_, i) => ({ name: `m${i}` }));
	const all = hear({ type: "machine", machine: { methods: many } });
	expect(all?.type === "machine" && all.description?.methods.length).toBe(64);
});

test("texts for people lose what is not printable", () => {
	expect(hear({ type: "stop", by: "A\u202eda\n" })).toMatchObject({ by: "Ada" });
	expect(hear({ type: "call", id: "i", state: "rejected", reason: "\u001b[31mno" })).toMatchObject({
		reason: "[31mno",
	});
});

test("damaged outcomes are read or refused, and nothing else", () => {
	const whole = bytes({
		type: "machine",
		machine: { axes: [AXIS], methods: [{ name: "a", params: { type: "object" } }] },
	});
	for (let seed = 0; seed < 2_000; seed++) {
		try {
			parse(new Random(seed).damage(whole));
		} catch (error) {
			expect(error).toBeInstanceOf(FormatError);
		}
	}
});

test("a command that is too long is refused before it is sent", () => {
	const params = { text: "x".repeat(MAX_COMMAND) };
	expect(faultOf(() => encode({ type: "call", id: "i", method: "m", params, epoch: 1, by: 1 }))).toBe("long");
});
