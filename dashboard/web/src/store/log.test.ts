import { expect, it } from "vitest";
import { Log, MAX_CHARACTERS, MAX_LINES } from "./log";

it("keeps lines in order, each once", () => {
	const log = new Log();
	for (const seq of [1, 3, 2, 3]) log.add(seq, seq, `line ${seq}`);
	expect(log.lines.map(({ seq }) => seq)).toEqual([1, 2, 3]);
	log.startEpoch();
	log.add(1, 9, "again");
	expect(log.lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 1]);
});

it("is bounded in lines and in characters", () => {
	const log = new Log();
	for (let seq = 1; seq <= MAX_LINES + 50; seq++) log.add(seq, seq, "x");
	expect([log.lines.length, log.lines[0]?.seq]).toEqual([MAX_LINES, 51]);
	const long = new Log();
	for (let seq = 1; seq <= 400; seq++) long.add(seq, seq, "x".repeat(8_192));
	expect(long.lines.length).toBe(Math.floor(MAX_CHARACTERS / 8_192));
});
