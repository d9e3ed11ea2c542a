// What the players of peer/session/testdata/*.scenario share; README.md there
// has the grammar.

import { describe, expect, test } from "vitest";
import { type Line, parseTime, scenarios } from "../wire/scenario.testing";

/** EPOCH is that of scenarios which name none. */
export const EPOCH = 7;

/** World is what a kind of scenario plays with. */
export interface World {
	event(now: number, verb: string, args: Arguments): void;
	/** check is what is the case, in the words of the check. */
	check(now: number, what: string, want: string[]): string[];
}

/** Arguments are a verb's words and options. */
export class Arguments {
	readonly words: string[];
	private readonly options: Map<string, string>;

	constructor(all: string[]) {
		this.words = all.filter((word) => !word.includes("="));
		const options = all.filter((word) => word.includes("=")).map((word) => word.split("="));
		this.options = new Map(options.map(([name = "", value = ""]) => [name, value]));
	}

	word(i: number): string {
		return this.words[i] ?? fail(`word ${i} is missing`);
	}

	text(name: string, otherwise: string): string {
		return this.options.get(name) ?? otherwise;
	}

	number(name: string, otherwise: number): number {
		return Number(this.options.get(name) ?? otherwise);
	}

	time(name: string, otherwise: number): number {
		const text = this.options.get(name);
		return text === undefined ? otherwise : parseTime(text);
	}
}

/** playAll makes a test of each scenario of a kind. */
export function playAll(kind: string, make: () => World): void {
	const all = scenarios("peer/session/testdata/").filter(({ name }) => name.startsWith(`${kind}-`));
	test("there are scenarios", () => {
		expect(all.length).toBeGreaterThan(2);
	});
	describe.each(all)("$name", ({ lines }) => {
		test("plays as written", () => {
			const world = make();
			for (const line of lines) playLine(world, line);
		});
	});
}

function playLine(world: World, { number, now, event, checks }: Line): void {
	const [verb = "", ...args] = event;
	world.event(now, verb, new Arguments(args));
	for (const [what = "", ...want] of checks) {
		const have = world.check(now, what, want);
		expect([what, ...(have.length === 0 ? ["-"] : have)], `line ${number}`).toEqual([what, ...want]);
	}
}

/** parseBatch reads SEQ+COUNT. */
export function parseBatch(text: string): { seq: number; count: number } {
	const [seq, count] = text.split("+");
	return { seq: Number(seq), count: Number(count) };
}

/** parseRange reads FROM..TO and FROM.. (to 0). */
export function parseRange(text: string): { from: number; to: number } {
	const [from, to = ""] = text.split("..");
	return { from: Number(from), to: Number(to) };
}

export function formatRange({ from, to }: { from: number; to: number }): string {
	return to === 0 ? `${from}..` : `${from}..${to}`;
}

/** formatTime writes a time as want does, if that is the same time. */
export function formatTime(at: number, want = ""): string {
	return /^[0-9]/.test(want) && parseTime(want) === at ? want : `${at}ms`;
}

export function fail(message: string): never {
	throw new Error(message);
}
