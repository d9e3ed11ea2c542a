// Reads *.scenario files, which the Go packages play too: one event a line,
// its time first, what is expected after "=>".

import { repoFile, repoFiles } from "./testing";

export interface Scenario {
	name: string;
	lines: Line[];
}

export interface Line {
	number: number; // in the file, from 1
	now: number; // ms
	event: string[]; // verb and arguments
	checks: string[][];
}

/** scenarios reads all scenarios of a folder of the repository. */
export function scenarios(folder: string): Scenario[] {
	return repoFiles(folder, ".scenario").map((path) => ({
		name: path.slice(folder.length),
		lines: repoFile(path).split("\n").flatMap(parseLine),
	}));
}

function parseLine(text: string, index: number): Line[] {
	const [event = "", checks = ""] = text.replace(/#.*/, "").split("=>");
	const [time, ...verb] = words(event);
	if (time === undefined) return [];
	const wanted = checks.split(";").map(words);
	return [{ number: index + 1, now: parseTime(time), event: verb, checks: wanted.filter((c) => c.length > 0) }];
}

function words(text: string): string[] {
	return text.split(/\s+/).filter((word) => word !== "");
}

/** parseTime reads a number of ms or s, which may have a fraction, to the ns. */
export function parseTime(text: string): number {
	const [, number, unit] = /^(-?[0-9.]+)(ms|s)$/.exec(text) ?? [];
	if (number === undefined) throw new Error(`${text} is no time`);
	return Math.round(Number(number) * (unit === "s" ? 1e9 : 1e6)) / 1e6;
}
