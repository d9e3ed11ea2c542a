import { expect, test } from "vitest";
import { Clock } from ".";
import { type Arguments, playAll, type World } from "./scenario.testing";

/** ClockWorld plays clock-*.scenario. */
class ClockWorld implements World {
	private readonly clock = new Clock();
	private news = false; // of the last doubt

	event(now: number, verb: string, args: Arguments): void {
		const [t1 = 0, t2 = 0, t3 = 0, t4 = 0] = args.words.map(Number);
		if (verb === "doubt") this.news = this.clock.doubt(now);
		if (verb === "sample") this.clock.sample(now, t1, t2, t3, t4);
	}

	check(now: number, what: string): string[] {
		if (what === "news") return [this.news ? "yes" : "no"];
		if (what === "doubtful") return [this.clock.doubtful ? "yes" : "no"];
		const known = this.clock.offset(now);
		return known === null ? [] : [`${known.offset}`, `${known.error}`];
	}
}

playAll("clock", () => new ClockWorld());

test("a round trip that only grows does not fill the memory", () => {
	const clock = new Clock();
	for (let i = 0; i < 1000; i++) clock.sample(i, 1000, 1000 + i, 1000 + i, 1000 + 2 * i);
	expect(clock.offset(1000)).toEqual({ offset: 0, error: 50 });
});
