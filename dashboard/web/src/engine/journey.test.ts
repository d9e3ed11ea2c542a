import { expect, test } from "vitest";
import { connectTime } from "./journey";

const entry = (times: object) =>
	({ connectStart: 5, connectEnd: 5, requestStart: 6, responseStart: 6, ...times }) as unknown as PerformanceEntry;

test("connecting took what the browser measured, or at least a round trip where a connection stood", () => {
	expect(connectTime(entry({ connectEnd: 405, requestStart: 406, responseStart: 606 }))).toBe(400);
	expect(connectTime(entry({ requestStart: 6, responseStart: 206 }))).toBe(200);
});

test("nothing is claimed where nothing was measured", () => {
	expect(connectTime(undefined)).toBe(0);
	expect(connectTime({ name: "", entryType: "mark" } as PerformanceEntry)).toBe(0);
	expect(connectTime(entry({}))).toBe(0);
	expect(connectTime(entry({ requestStart: 300, responseStart: 0 }))).toBe(0); // from a cache
});
