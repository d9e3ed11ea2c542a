import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { Random, repoFile } from "../wire/testing";
import { hmac, keyFor, sha256 } from "./key";

const keys: { secret: string; device: string; key: string }[] = JSON.parse(repoFile("peer/rpc/testdata/keys.json"));

test.each(keys)("$secret at $device is $key, as in Go", ({ secret, device, key }) => {
	expect(keyFor(secret, device)).toBe(key);
});

test("SHA-256 and HMAC are those of everybody, whatever the length", () => {
	const random = new Random(3);
	for (let n = 0; n < 200; n++) {
		const [bytes, key] = [random.bytes(n), random.bytes((n * 7) % 150)];
		expect(Array.from(sha256(bytes))).toEqual(Array.from(createHash("sha256").update(bytes).digest()));
		expect(Array.from(hmac(key, bytes))).toEqual(Array.from(createHmac("sha256", key).update(bytes).digest()));
	}
});
