import { expect, test } from "vitest";
import { endingOf, isRefusal, refusalOf } from "./answer";

const refusal = { code: "unauthorized", reason: "the token has expired", remedy: "log in" };

test("a refusal is read whatever is missing in it", () => {
	expect(refusalOf(JSON.stringify(refusal))).toEqual(refusal);
	expect(refusalOf('{"code":"x"}')).toEqual({ code: "x", reason: "", remedy: "" });
});

test.each(["", "Upgrade Required", "[]", "null", '{"code":7}', `{"code":"x","reason":"${"y".repeat(5000)}"}`])(
	"%.30s is no refusal",
	(text) => {
		expect(refusalOf(text)).toBeNull();
	},
);

test("only codes of the table are the server's word on us", () => {
	expect(isRefusal(refusal)).toBe(true);
	expect(isRefusal({ ...refusal, code: "unknown-path" })).toBe(false);
	expect(isRefusal(null)).toBe(false);
});

test.each([
	[new Response(JSON.stringify(refusal), { status: 401 }), { refusal }],
	[new Response("<html>", { status: 413 }), { failure: expect.objectContaining({ name: "body-capped" }) }],
	[new Response("<html>", { status: 403 }), { failure: expect.objectContaining({ name: "not-telepath" }) }],
	[
		new Response('{"code":"unknown-path"}', { status: 404 }),
		{ failure: expect.objectContaining({ name: "not-telepath" }) },
	],
])("an answer that was not asked for ends the way", async (response, ending) => {
	expect(await endingOf(response)).toEqual(ending);
});
