import { expect, test } from "vitest";
import type { PathInfo } from "../../port";
import { leads } from "./leads";

test("a path in use that is silent leads nowhere", () => {
	const path = (rung: PathInfo["rung"], silentMs: number | null) => ({ rung, silentMs }) as PathInfo;
	expect([path("udp", null), path("udp", 20_000), path(null, null), null].map(leads)).toEqual([
		true,
		false,
		false,
		false,
	]);
});
