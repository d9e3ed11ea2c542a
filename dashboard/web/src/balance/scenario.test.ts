import { describe, expect, test } from "vitest";
import { parseTime, scenarios } from "../peer/wire/scenario.testing";
import type { State } from "./cartpole";
import { Controller } from "./controller";

// Plays device/machine/balance/testdata/*.scenario; README.md there has the grammar.

const all = scenarios("device/machine/balance/testdata/");

test("there are scenarios", () => {
	expect(all.length).toBeGreaterThan(1);
});

describe.each(all)("$name", ({ lines }) => {
	test("plays as written", () => {
		const controller = new Controller();
		for (const { number, now, event, checks } of lines) {
			const [verb, ...words] = event;
			if (verb === "measured") controller.measured(parseTime(words[0] ?? ""));
			else if (verb === "saw") controller.saw(...sample(words), now);
			else if (verb === "decide") {
				const force = controller.decide(now);
				for (const check of checks) holds(`line ${number}`, check, controller, force, now);
			} else expect.fail(`line ${number}: ${verb}`);
		}
	});
});

function holds(where: string, [what, value = ""]: string[], controller: Controller, force: number, now: number): void {
	if (what === "force") expect(Math.abs(force - Number(value)), where).toBeLessThan(1e-6);
	else if (what === "blind") expect(controller.ok, where).toBe(false);
	else if (what === "horizon") expect(controller.horizon(now), where).toBeCloseTo(parseTime(value), 5);
	else expect.fail(`${where}: no check ${what}`);
}

function sample(words: string[]): [number, State] {
	const given = new Map(words.map((word) => word.split("=") as [string, string]));
	const value = (name: string) => Number(given.get(name));
	return [
		parseTime(given.get("t") ?? ""),
		{ x: value("x"), v: value("v"), angle: value("angle"), spin: value("spin"), down: given.has("down") },
	];
}
