import { expect, test } from "vitest";
import type { Header } from "../wire";
import { Kept } from "./kept";

const header = (change: Partial<Header>): Header => ({
	class: "live",
	stream: 1,
	epoch: 7,
	seq: 1,
	count: 1,
	deadline: 0,
	key: 0,
	will: false,
	...change,
});

test("a retained value is shown once, and not after a newer one", () => {
	const kept = new Kept();
	expect(kept.keep(header({ seq: 10 }))).toBe(true);
	expect(kept.keep(header({ seq: 10 }))).toBe(false);
	expect(kept.keep(header({ seq: 9 }))).toBe(false);
	kept.passed(header({ seq: 20, count: 5 }));
	expect(kept.keep(header({ seq: 24 }))).toBe(false);
	expect(kept.keep(header({ seq: 25 }))).toBe(true);
	expect(kept.keep(header({ seq: 1, epoch: 8 }))).toBe(true);
});

test("the live copy of a retained value is a duplicate, that of an Event is not", () => {
	const kept = new Kept();
	kept.keep(header({ seq: 10, count: 3 }));
	expect(kept.covers(header({ seq: 11 }))).toBe(true);
	expect(kept.covers(header({ seq: 12, count: 2 }))).toBe(false);
	expect(kept.covers(header({ seq: 11, class: "event" }))).toBe(false);
	expect(kept.covers(header({ seq: 11, epoch: 8 }))).toBe(false);
});
