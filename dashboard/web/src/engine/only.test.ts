import { expect, test } from "vitest";
import { onlyOf } from "./only";

test.each([
	["", []],
	["?only=", []],
	["?only=sse", ["sse"]],
	["?a=b&only=poll,%20udp", ["poll", "udp"]],
	["?only=carrier-pigeon", []],
])("%s", (search, rungs) => {
	expect(onlyOf(search)).toEqual(rungs);
});
