import { afterEach, expect, test, vi } from "vitest";
import { askWhy } from "./why";

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
	expect(await askWhy("https://host/v1/link", "secret")).toEqual({ refusal, reached: true });
	expect(asked).toEqual([{ url: "https://host/v1/link", token: "Bearer secret" }]);
});

test("who has no token sends none: a server that is open to all would refuse a wrong one", async () => {
	const asked = answering("");
	await askWhy("http://host/v1/link", "");
	expect(asked).toEqual([{ url: "http://host/v1/link", token: null }]);
});

test("a server that cannot be reached gives no reason", async () => {
	vi.stubGlobal("fetch", async () => {
		throw new TypeError("failed to fetch");
	});
	expect(await askWhy("http://host/v1/link", "t")).toEqual({ refusal: null, reached: false });
});

test("one that says something else was reached, and refuses nothing", async () => {
	for (const text of ["", "Upgrade Required", "[]", '{"code":"unknown-path"}', '{"code":"no-upgrade"}']) {
		answering(text);
		expect(await askWhy("http://host/v1/link", "t")).toEqual({ refusal: null, reached: true });
	}
});
