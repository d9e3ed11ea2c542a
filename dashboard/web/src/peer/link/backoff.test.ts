import { expect, test } from "vitest";
import { retryDelay } from "./backoff";

const most = () => 0.999999;

test("backoff doubles from 0.25 s to 10 s, with jitter down to a tenth of it", () => {
	const longest = [1, 2, 3, 6, 7, 40].map((failures) => retryDelay("backoff", failures, most));
	expect(longest.map((ms) => Math.round(ms ?? -1))).toEqual([250, 500, 1000, 8000, 10000, 10000]);
	expect(retryDelay("backoff", 9, () => 0)).toBe(1_000);
});

test("each policy waits as section 6.6 says", () => {
	expect([1, 2].map((failures) => Math.round(retryDelay("now", failures, most) ?? -1))).toEqual([1000, 1000]);
	expect(retryDelay("now", 2, () => 0)).toBe(0);
	expect(retryDelay("slow", 1, most)).toBe(30_000);
	expect(retryDelay("never", 1, most)).toBeNull();
});

test("what is to be retried now is, twice; then it backs off", () => {
	const longest = [3, 4, 7, 40].map((failures) => retryDelay("now", failures, most));
	expect(longest.map((ms) => Math.round(ms ?? -1))).toEqual([1000, 2000, 10000, 10000]);
	expect(retryDelay("now", 3, () => 0)).toBe(100);
});
