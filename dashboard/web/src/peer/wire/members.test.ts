import { describe, expect, test } from "vitest";
import { clean, Members, plain } from ".";
import { faultOf } from "./testing";

describe("a member that is missing or null has its zero value", () => {
	test.each([{}, { a: null }, { __proto__: { a: 1 } }])("%j", (object) => {
		const m = new Members(object);
		expect([m.has("a"), m.any("a"), m.text("a"), m.bool("a"), m.number("a"), m.uint("a")]).toEqual([
			false,
			undefined,
			"",
			false,
			0,
			0,
		]);
		expect([m.list("a", String), m.texts("a")]).toEqual([[], []]);
	});
});

test("what every object inherits is no member", () => {
	expect(new Members({}).has("constructor")).toBe(false);
	expect(new Members(JSON.parse('{"facts":{"__proto__":"x"}}')).texts("facts")).toEqual([["__proto__", "x"]]);
});

describe("a member of another type makes the whole unreadable", () => {
	const m = new Members({
		text: "x",
		number: 1.5,
		list: [1],
		object: { n: 1 },
		big: 2 ** 53,
		negative: -1,
		infinite: Infinity,
	});
	test.each([
		["text", () => m.text("number")],
		["bool", () => m.bool("number")],
		["number", () => m.number("text")],
		["an infinite number", () => m.number("infinite")],
		["a fraction", () => m.uint("number")],
		["a negative integer", () => m.uint("negative")],
		["an integer beyond 2^53", () => m.uint("big")],
		["a list", () => m.list("object", String)],
		["texts", () => m.texts("object")],
		["texts in a list", () => m.texts("list")],
	])("%s", (_, read) => {
		expect(faultOf(read)).toBe("signal");
	});

	test.each([[null], [[]], ["x"], [1], [undefined]])("and %j is no object at all", (value) => {
		expect(faultOf(() => new Members(value))).toBe("signal");
	});
});

test("a clean text has neither control nor invisible characters, nor half a character at its end", () => {
	expect(clean("a\u0000b\u202ec\u200bd\n\u2028e", 9)).toBe("abcde");
	expect(plain("two\n\tlines\u001b[31m \u009b\u202e\u200b\u0000\u2028x")).toBe("two lines[31m  x");
	expect(plain("as it was: é 🙂")).toBe("as it was: é 🙂");
	expect(clean("🙂🙂🙂", 2)).toBe("🙂🙂");
	expect(clean("\ud83dx\ufffd", 9)).toBe("x");
});
