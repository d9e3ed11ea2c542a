import { expect, test } from "vitest";
import { repoFile } from "../wire/testing";
import { keyFor, operatorOf } from "./key";

const keys: { secret: string; device: string; key: string }[] = JSON.parse(repoFile("peer/rpc/testdata/keys.json"));

test.each(keys)("$secret at $device is $key, as in Go", ({ secret, device, key }) => {
	expect(keyFor(secret, device)).toBe(key);
});

test("an operator is known by a hash of the key", () => {
	expect(operatorOf("secret")).toBe("2bb80d537b1da3e3"); // SHA-256
});
