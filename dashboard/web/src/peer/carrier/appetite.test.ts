import { expect, test } from "vitest";
import { MAX_PACKET } from "../wire";
import { Appetite } from "./appetite";

test("it grows while answers come at once, up to a packet", () => {
	const appetite = new Appetite();
	const seen = [appetite.most];
	for (let i = 0; i < 3; i++) {
		appetite.ate(appetite.most, 5);
		seen.push(appetite.most);
	}
	expect(seen).toEqual([16_384, 32_768, MAX_PACKET, MAX_PACKET]);
});

test("on a slow network an answer is what comes in a quarter of a second, and at least 1 KiB", () => {
	const appetite = new Appetite();
	appetite.ate(16_384, 2_000); // 64 kbit/s
	expect(appetite.most).toBe(2_048);
	appetite.ate(2_048, 20_000);
	expect(appetite.most).toBe(1_024);
});

test("an answer that does not come through, and not again, is asked for shorter", () => {
	const appetite = new Appetite();
	appetite.failed();
	expect(appetite.most).toBe(16_384);
	appetite.failed();
	expect(appetite.most).toBe(8_192);
	appetite.ate(0, 0);
	appetite.failed();
	expect(appetite.most).toBe(16_384);
});
