import { expect, test } from "vitest";
import { retryDelay } from "./backoff";

const most = () => 0.999999;

test("backoff doubles from 0.25 s to 10 s, with full jitter", () => {
	const longest = [1, 2, 3, 6, 7, 40].map((failures) => retryDelay("backoff", failures, most));
	expect(longest.map((ms) => Math.round(ms ?? -1))).toEqual([250, 500, 1000, 8000, 10000, 10000]);
	expect(retryDelay("backoff", 9, () => 0)).toBe(0);
});

test("each policy waits as section 6.6 says", () => {
	expect(retryDelay("now", 5, most)).toBeLessThan(1000);
	expect(retryDelay("slow", 1, most)).toBe(30_000);
	expect(retryDelay("never", 1, most)).toBeNull();
});
