import { describe, expect, test } from "vitest";
import { type Draft, draftOf, formOf, labelled, limits, read } from "./schema";

const SCHEMA = {
	type: "object",
	required: ["speed", "mode"],
	properties: {
		speed: { type: "number", minimum: 0, maximum: 2, default: 0.5, title: "Speed", description: "in m/s" },
		count: { type: "integer", maximum: 9 },
		mode: { enum: ["fast", "slow", 3] },
		name: { type: "string", maxLength: 5 },
		lights: { type: "boolean", default: true },
		path: { type: "array", maxItems: 3, items: { type: "number", minimum: -1 } },
		at: { type: "object", required: ["x"], properties: { x: { type: "number" }, y: { type: "number", default: 1 } } },
		odd: { type: "object", properties: {}, oneOf: [] },
		deep: { type: "array", items: { type: "object" } },
	},
};
const fields = formOf(SCHEMA);
const filled = (change: Draft = {}) => read(fields, { ...draftOf(fields), mode: "0", ...change });

test("a form has an input for each member, and defaults stand in it", () => {
	expect(fields.map(({ key, kind }) => `${key} ${kind}`)).toEqual([
		"speed number",
		"count integer",
		"mode choice",
		"name text",
		"lights boolean",
		"path list",
		"at group",
		"odd group",
		"deep json",
	]);
	expect(draftOf(fields)).toEqual({
		speed: "0.5",
		count: "",
		mode: "",
		name: "",
		lights: true,
		path: "",
		"at.x": "",
		"at.y": "1",
		deep: "",
	});
	expect(fields[0]).toMatchObject({ label: "Speed", help: "in m/s", required: true });
	expect(limits(fields[0] as never)).toBe("0 to 2");
	expect(limits(fields[5] as never)).toBe("one per line, at most 3 values, optional");
});

test("what was filled in becomes the parameters; what was not is left out", () => {
	expect(filled({ "at.y": "" })).toEqual({ params: { speed: 0.5, mode: "fast", lights: true }, errors: {} });
	expect(filled({ count: "7", name: "Ada", path: "1\n\n-0,5", "at.x": "2", deep: '[{"a":1}]' })).toEqual({
		params: {
			speed: 0.5,
			count: 7,
			mode: "fast",
			name: "Ada",
			lights: true,
			path: [1, -0.5],
			at: { x: 2, y: 1 },
			deep: [{ a: 1 }],
		},
		errors: {},
	});
});

test("a decimal comma is one, where it cannot be for thousands", () => {
	for (const [typed, value] of Object.entries({ "1,5": 1.5, "0,125": 0.125, "1,0000": 1, "1.000": 1 }))
		expect(filled({ "at.y": "", speed: typed }).params).toMatchObject({ speed: value });
});

describe("what does not fit is said beside its field", () => {
	test.each<[string, string, RegExp]>([
		["speed", "", /required/],
		["speed", "fast", /number/],
		["speed", "-1", /At least 0/],
		["speed", "2.01", /At most 2/],
		["speed", "1e999", /number/],
		["count", "1.5", /whole/],
		["count", "1,0", /comma/],
		["speed", "1,000", /thousands/],
		["speed", "+1,000,000", /thousands/],
		["path", "1\n-1,000", /thousands/],
		["mode", "", /required/],
		["mode", "7", /One of: fast, slow, 3/],
		["name", "abcdef", /5 characters/],
		["path", "1\n2\n3\n4", /3 values/],
		["path", "1\n-2", /At least -1/],
		["deep", "{", /JSON/],
	])("%s: %j", (path, typed, error) => {
		expect(Object.keys(filled({ "at.y": "", [path]: typed }).errors)).toEqual([path]);
		expect(filled({ "at.y": "", [path]: typed }).errors[path]).toMatch(error);
	});

	test("in a group, of which something was filled in", () => {
		expect(filled({ "at.y": "3" }).errors).toEqual({ "at.x": "This is required." });
	});
});

test("whatever a device says as schema makes a form", () => {
	expect(formOf(undefined)).toEqual([]);
	expect(formOf({ type: "object" })).toEqual([]);
	expect(formOf({ type: "object", properties: {} })).toEqual([]);
	for (const odd of [
		{ properties: 5, a: 1 },
		{ type: "array", items: {} },
		{ type: "object", properties: { a: null, b: 7, c: { enum: [] } } },
	]) {
		expect(() => read(formOf(odd), draftOf(formOf(odd)))).not.toThrow();
	}
	const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, { type: "string" }]));
	expect(formOf({ properties: many }).length).toBe(40);
	expect(formOf({ properties: { a: { type: "string", title: "x\u202ey" } } })[0]?.label).toBe("x y");
});

test("names of members and choices are shown without what must not be, and sent as they are", () => {
	const evil = "stop\u202e\u200b\u0007go";
	const fields = formOf({ properties: { [evil]: { type: "string" }, c: { enum: [evil, "b"] } } });
	expect(fields[0]).toMatchObject({ label: "stop   go", key: evil });
	expect(labelled(evil)).toBe("stop   go");
	expect(read(fields, { [evil]: "x", c: "0" }).params).toEqual({ [evil]: "x", c: evil });
	expect(
		read(formOf({ properties: { l: { type: "array", items: { enum: [evil] } } } }), { l: "stop   go" }).params,
	).toEqual({ l: [evil] });
	expect(read(fields, { c: "7" }).errors.c).toBe("One of: stop   go, b.");
});

test("a member may have a name that every object inherits", () => {
	const names = ["__proto__", "constructor", "toString"];
	const properties = JSON.parse(`{${names.map((name) => `"${name}":{"type":"string","default":"x"}`).join()}}`);
	const fields = formOf({ properties: { ...properties, group: { type: "object", properties } }, required: names });
	const draft = draftOf(fields);
	for (const name of names) {
		expect(Object.hasOwn(draft, name) && draft[name]).toBe("x");
		expect(draft[`group.${name}`]).toBe("x");
	}
	const { params, errors } = read(fields, draft);
	expect(Object.keys(errors)).toEqual([]);
	expect(names.filter((name) => errors[name] !== undefined)).toEqual([]);
	const sent = `{${names.map((name) => `"${name}":"x"`).join()}`;
	expect(JSON.stringify(params)).toBe(`${sent},"group":${sent}}}`);
	const blank = read(fields, { ...draft, ["__proto__"]: "" });
	expect(Object.entries(blank.errors)).toEqual([["__proto__", "This is required."]]);
	expect(Object.keys(read(fields, {}).errors)).toEqual(names); // nothing was filled in
});
