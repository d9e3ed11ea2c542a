import { describe, expect, test } from "vitest";
import { faultOf } from "../wire/testing";
import { parseMeta } from ".";

const NONE = {
	kind: "number",
	unit: "",
	label: "",
	group: "",
	min: null,
	max: null,
	periodMs: null,
	source: "",
	simulated: false,
};

describe("a description is read and made safe", () => {
	test.each([
		[undefined, {}],
		[
			{ kind: "text", unit: "°C", min: 0, max: 100, period_ms: 1000 },
			{ kind: "text", unit: "°C", min: 0, max: 100, periodMs: 1000 },
		],
		[
			{ label: "Core 0", group: "temperature", source: "host", simulated: true },
			{ label: "Core 0", group: "temperature", source: "host", simulated: true },
		],
		[{ later: [1], unit: "V" }, { unit: "V" }],
		[{ label: "a\u202eb\u0000c\n" }, { label: "abc" }],
		[{ unit: "°".repeat(40) }, { unit: "°".repeat(32) }],
		[{ min: 3, max: 3 }, {}],
		[{ min: 3 }, { min: 3 }],
		[{ min: null, period_ms: -1 }, {}],
	])("%j", (given, want) => {
		expect(parseMeta(given)).toEqual({ ...NONE, ...want });
	});

	test.each([[[]], [7], ["kind"], [{ kind: "colour" }], [{ unit: 1 }], [{ min: "0" }], [{ max: Infinity }]])(
		"refused: %j",
		(given) => {
			expect(faultOf(() => parseMeta(given))).not.toBeNull();
		},
	);
});
