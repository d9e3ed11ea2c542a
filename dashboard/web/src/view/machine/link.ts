import type { Entry } from "../state/control.svelte";

/** The method of a machine whose link is emulated (tools/bad-link.sh). */
export const BAD_LINK = "bad-link";
/** After so long the link is perfect again, in ms. */
const LASTS = 300_000;

export interface LinkChoice {
	name: string;
	title: string;
	params: { delay: number; loss: number };
}

function bad(loss: number): LinkChoice {
	const title = `50 ms more each way, and ${loss} % of packets lost each way, for five minutes`;
	return { name: `100 ms, ${loss} %`, title, params: { delay: 50, loss } };
}

export const CHOICES: readonly LinkChoice[] = [
	{ name: "Perfect", title: "Nothing is delayed or lost", params: { delay: 0, loss: 0 } },
	bad(1),
	bad(5),
	bad(20),
];

/** chosen is what this page has made of the link, as far as that still holds, in words too. Others may have changed it since. */
export function chosen(log: readonly Entry[], now: number): { choice: LinkChoice | null; words: string } {
	const last = log.find(({ method }) => method === BAD_LINK); // the newest comes first
	if (last === undefined) return { choice: null, words: "Emulated, for all of this machine's packets." };
	if (last.state !== "done")
		return { choice: null, words: `Setting it: ${last.state}${last.reason && `, ${last.reason}`}.` };
	const choice = CHOICES.find(({ params }) => same(params, last.params)) ?? null;
	const left = Math.ceil((last.at + LASTS - now) / 60_000);
	if (choice === CHOICES[0] || left <= 0) return { choice: CHOICES[0] ?? null, words: "Emulated, and perfect." };
	return { choice, words: `Round trip, and loss each way. Perfect again in ${left} min.` };
}

function same(a: LinkChoice["params"], b: unknown): boolean {
	return typeof b === "object" && b !== null && "delay" in b && "loss" in b && a.delay === b.delay && a.loss === b.loss;
}
