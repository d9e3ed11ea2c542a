import { afterEach, expect, test, vi } from "vitest";
import { askWhy, refusalOf } from "./why";

afterEach(() => vi.unstubAllGlobals());

const refusal = { code: "unauthorized", reason: "the token has expired", remedy: "log in" };

/** answering makes fetch answer, and notes what was asked. */
function answering(text: string): { url: string; token: string | null }[] {
	const asked: { url: string; token: string | null }[] = [];
	vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
		asked.push({ url, token: new Headers(init.headers).get("Authorization") });
		return new Response(text, { status: 401 });
	});
	return asked;
}

test("the same address is asked by HTTP, with the token in a header", async () => {
	const asked = answering(JSON.stringify(refusal));
	expect(await askWhy("wss://host/v1/link", "secret")).toEqual(refusal);
	expect(asked).toEqual([{ url: "https://host/v1/link", token: "Bearer secret" }]);
});

test("who came without a token is told that one is wanted", async () => {
	answering(JSON.stringify(refusal));
	expect((await askWhy("ws://host/v1/link", ""))?.reason).toBe("this server lets nobody in without a token");
});

test("a server that cannot be reached, or says something else, gives no reason", async () => {
	vi.stubGlobal("fetch", async () => {
		throw new TypeError("failed to fetch");
	});
	expect(await askWhy("ws://host/v1/link", "t")).toBeNull();
	for (const text of [
		"",
		"Upgrade Required",
		"[]",
		"null",
		'{"code":7}',
		`{"code":"x","reason":"${"y".repeat(5000)}"}`,
	]) {
		expect(refusalOf(text)).toBeNull();
	}
	expect(refusalOf('{"code":"x"}')).toEqual({ code: "x", reason: "", remedy: "" });
});
