import { expect, test } from "vitest";
import { decodeBase64url, encodeBase64url } from "./base64url";

test("bytes survive, whatever they are and however many", () => {
	for (let length = 0; length < 70; length++) {
		const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length * 101) & 255);
		const text = encodeBase64url(bytes);
		expect(text).toMatch(/^[\w-]*$/);
		expect(decodeBase64url(text)).toEqual(bytes);
	}
});

test("what is none is told", () => {
	expect(decodeBase64url("a*b")).toBeNull();
	expect(decodeBase64url("a")).toBeNull();
});
