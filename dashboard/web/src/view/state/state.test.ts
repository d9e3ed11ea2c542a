import { describe, expect, it } from "vitest";
import { cleanToken, redeem } from "./login";
import { deviceHash, loginCode, parseRoute } from "./route";

describe("route", () => {
	it("reads devices by name and by id", () => {
		expect(parseRoute("#/d/bench-pi")).toEqual({ view: "device", device: "bench-pi" });
		expect(parseRoute(deviceHash("a/b c#?%"))).toEqual({ view: "device", device: "a/b c#?%" });
	});

	it("takes everything else for home", () => {
		for (const hash of ["", "#", "#/", "#/d/", "#/d/a/b", "#/d/%E0%A4%A", "#x"])
			expect(parseRoute(hash)).toEqual({ view: "home" });
	});

	it("finds a login code, and only a plain one", () => {
		expect(loginCode("#code=k3v9x2")).toBe("k3v9x2");
		for (const hash of ["", "#code=", "#code=a b", "#/d/code=x", `#code=${"x".repeat(200)}`])
			expect(loginCode(hash)).toBeNull();
	});
});

describe("login", () => {
	const base = new URL("http://host/prefix/");
	const answering = (status: number, body: string) => {
		const asked: { url: string; init: RequestInit | undefined }[] = [];
		const fetcher = (async (url: URL, init?: RequestInit) => {
			asked.push({ url: url.href, init });
			return new Response(body, { status });
		}) as typeof fetch;
		return { asked, fetcher };
	};

	it("trades a code for a session, with the header that other origins cannot set", async () => {
		const { asked, fetcher } = answering(200, JSON.stringify({ token: "t", role: "viewer", expires: 1 }));
		expect(await redeem(base, { code: "abc" }, fetcher)).toEqual({ token: "t", role: "viewer" });
		expect(asked[0]?.url).toBe("http://host/prefix/v1/login");
		expect(asked[0]?.init).toMatchObject({
			method: "POST",
			body: '{"code":"abc"}',
			headers: { "Telepath-Request": "1" },
		});
	});

	it("passes on the server's words, and has its own where there are none", async () => {
		const words = { code: "unauthorized", reason: "used", remedy: "a new one" };
		expect(await redeem(base, { code: "abc" }, answering(401, JSON.stringify(words)).fetcher)).toEqual(words);
		expect(await redeem(base, { code: "abc" }, answering(502, "<html>").fetcher)).toMatchObject({
			code: "502",
			reason: "The server answered the login with status 502.",
			remedy: expect.stringContaining("Try again in a moment."),
		});
	});

	it("says when nobody answers", async () => {
		const fetcher = (() => Promise.reject(new TypeError("Failed to fetch"))) as typeof fetch;
		expect(await redeem(base, { code: "abc" }, fetcher)).toMatchObject({ code: "unreachable" });
	});

	it("trades a token that was pasted as well, whatever is in it", async () => {
		const { asked, fetcher } = answering(401, '{"code":"unauthorized","reason":"no","remedy":"another"}');
		expect(await redeem(base, { token: "日本語" }, fetcher)).toMatchObject({ code: "unauthorized" });
		expect(asked[0]?.init?.body).toBe('{"token":"日本語"}');
	});

	it("takes tokens as people paste them", () => {
		expect([" abc\n", "Bearer abc", "Authorization: Bearer abc "].map(cleanToken)).toEqual(["abc", "abc", "abc"]);
	});
});
