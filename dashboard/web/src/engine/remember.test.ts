import { beforeEach, expect, test, vi } from "vitest";
import type { Carried } from "../port";
import { carriedOf, recall, remember } from "./remember";

const carried: Carried = { rung: "sse", since: 1_700_000_000_000, failures: { ws: "upgrade-refused" } };
let stored: Map<string, string>;

beforeEach(() => {
	stored = new Map();
	vi.stubGlobal("localStorage", {
		getItem: (key: string) => stored.get(key) ?? null,
		setItem: (key: string, value: string) => stored.set(key, value),
		removeItem: (key: string) => stored.delete(key),
	});
	vi.stubGlobal("navigator", { connection: { type: "wifi" } });
	return () => vi.unstubAllGlobals();
});

test("what one visit found out the next one knows, on the same kind of network", () => {
	remember(carried);
	expect(recall()).toEqual(carried);
	vi.stubGlobal("navigator", { connection: { type: "cellular" } });
	expect(recall()).toBeNull();
	vi.stubGlobal("navigator", {});
	expect(recall()).toBeNull();
});

test("nothing to know is nothing stored", () => {
	remember(carried);
	remember(null);
	expect(stored.size).toBe(0);
});

test.each([null, 7, {}, { rung: "udp", since: 1 }, { rung: "sse" }])("%j is nothing that was stored here", (value) => {
	expect(carriedOf(value)).toBeNull();
});

test("names that this version does not know are left out", () => {
	expect(carriedOf({ rung: "poll", since: 1, failures: { ws: "toString", sse: "cut", udp: "cut" } })).toEqual({
		rung: "poll",
		since: 1,
		failures: { sse: "cut" },
	});
});

test("a browser that stores nothing is no trouble", () => {
	vi.stubGlobal("localStorage", undefined);
	remember(carried);
	expect(recall()).toBeNull();
});
