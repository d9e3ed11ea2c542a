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
