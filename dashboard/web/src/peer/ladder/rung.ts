/** RUNGS are the kinds of paths, best first (docs/protocol.md, section 7). */
export const RUNGS = [
	"udp",
	"turn-udp",
	"relay-udp",
	"tcp",
	"turn-tcp",
	"turn-tls",
	"relay-tcp",
	"ws",
	"sse",
	"poll",
] as const;

/** Rung is a kind of path. */
export type Rung = (typeof RUNGS)[number];

/** parseRung finds a rung by its name; null if none has it. */
export function parseRung(name: string): Rung | null {
	return RUNGS.find((known) => known === name) ?? null;
}

/** height is a rung's place: a smaller one is better. */
export function height(rung: Rung): number {
	return RUNGS.indexOf(rung);
}

/** Rungs that carry only where they are asked for: on `tcp` a page connects to addresses that a device tells. */
const ON_ASKING: readonly Rung[] = ["tcp"];

/** mayUse says whether a rung may carry; only: the rungs that are asked for, none stands for all but those. */
export function mayUse(rung: Rung, only: readonly Rung[]): boolean {
	return only.length === 0 ? !ON_ASKING.includes(rung) : only.includes(rung);
}
