/** Retry says when a refused or closed client tries again (section 6.6). */
export type Retry =
	| "now" // full jitter up to 1 s; backoff from the third failure in a row on
	| "backoff" // with jitter, 0.25 s doubling to 10 s
	| "slow" // after 30 s
	| "never"; // until the configuration changes

/** Code is why the server refused or closed something. */
export interface Code {
	number: number; // WebSocket close code 4000 + number
	name: string;
	retry: Retry;
	http: number; // status where it is answered before an upgrade; 0: never
}

const code = (number: number, name: string, retry: Retry, http: number): Code => ({ number, name, retry, http });

const INTERNAL = code(17, "internal", "backoff", 500);

/** CODES is the one table of section 6.6, by number. */
export const CODES: readonly Code[] = [
	code(0, "draining", "now", 503),
	code(1, "unauthorized", "never", 401),
	code(2, "forbidden", "never", 403),
	code(3, "malformed", "backoff", 400),
	code(4, "too-large", "backoff", 413),
	code(5, "name-taken", "slow", 409),
	code(6, "taken-over", "slow", 409),
	code(7, "rate-limited", "backoff", 429),
	code(8, "too-many", "backoff", 503),
	code(9, "timeout", "backoff", 408),
	code(10, "version", "never", 426),
	code(11, "silent", "now", 0),
	code(12, "unknown-device", "backoff", 404),
	code(13, "ambiguous", "never", 409),
	code(14, "bad-origin", "never", 403),
	code(15, "bad-signature", "never", 401),
	code(16, "offline", "slow", 404),
	INTERNAL,
	code(18, "unknown-link", "now", 404),
	code(19, "no-upgrade", "backoff", 426),
];

/** codeByName finds a code; an unknown name counts as "internal". */
export function codeByName(name: string): Code {
	return CODES.find((c) => c.name === name) ?? INTERNAL;
}

/** closeCode is the WebSocket close code. */
export function closeCode(c: Code): number {
	return 4000 + c.number;
}

/** codeByClose finds a code by a WebSocket close code; null: it is none of ours. */
export function codeByClose(status: number): Code | null {
	return CODES[status - 4000] ?? null;
}
