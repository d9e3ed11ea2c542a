// What is said to people about paths: the one table of words. Codes, JSON and
// metrics use the rungs' names instead.

import { failure } from "./failures";
import type { Rung } from "./ladder";

/** RUNG_WORDS are the badge's words. */
export const RUNG_WORDS: Record<Rung, string> = {
	udp: "Direct · UDP",
	"turn-udp": "TURN · UDP",
	"relay-udp": "Relay · UDP",
	tcp: "Direct · TCP",
	"turn-tcp": "TURN · TCP",
	"turn-tls": "TURN · TLS",
	"relay-tcp": "Relay · TCP",
	ws: "Relay · WebSocket",
	sse: "Relay · event stream",
	poll: "Relay · long polling",
};

/** NAMES are the rungs within a sentence. */
export const NAMES: Record<Rung, string> = {
	udp: "UDP",
	"turn-udp": "TURN over UDP",
	"relay-udp": "UDP to the server",
	tcp: "TCP",
	"turn-tcp": "TURN over TCP",
	"turn-tls": "TURN over TLS",
	"relay-tcp": "TCP to the server",
	ws: "WebSocket",
	sse: "Event stream",
	poll: "Long polling",
};

/** OVER_TCP is why a rung waits to be asked for. */
export const OVER_TCP = "only if asked for: it connects to addresses that the device names";

/** NOT_NEEDED is said of a rung while a better one does. */
export const NOT_NEEDED = "not needed";

/** WHY_OFF says why a rung is not among the ways tried. */
export const WHY_OFF: Record<Rung, string> = {
	udp: "not tried",
	"turn-udp": NOT_NEEDED,
	"relay-udp": NOT_NEEDED,
	tcp: "the device does not listen for TCP",
	"turn-tcp": NOT_NEEDED,
	"turn-tls": NOT_NEEDED,
	"relay-tcp": NOT_NEEDED,
	ws: "not tried",
	sse: NOT_NEEDED,
	poll: NOT_NEEDED,
};

/** What a silent path suggests. */
const SUSPICION: Partial<Record<Rung, string>> = {
	udp: "UDP may be blocked",
	"turn-udp": "UDP may be blocked",
	"relay-udp": "UDP may be blocked",
	ws: "the network or the server may be down",
};

/** seconds says a time in ms, to a tenth below ten seconds. */
export function seconds(ms: number): string {
	const s = Math.max(0, ms) / 1000;
	return s < 9.95 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`;
}

/** Notes of a rung's line in the drawer. Ages and waits are in ms. */
export const note = {
	unproven: (age: number) => `open, not yet proven, ${seconds(age)}`,
	proven: (age: number) => `proven both ways, heard ${seconds(age)} ago`,
	warm: (age: number) => `warm spare, heard ${seconds(age)} ago`,
	silent: (rung: Rung, age: number): string =>
		`no answer for ${seconds(age)}: ${SUSPICION[rung] ?? "it may be blocked"}`,
	unheard: (age: number) => `heard ${seconds(age)} ago, but the device hears nothing from here`,
	connecting: (age: number, before: string) =>
		`looking for a path, ${seconds(age)}${before === "" ? "" : ` (last time: ${before})`}`,
	dead: (rung: Rung, age: number, successor: boolean) =>
		`${note.silent(rung, age)}${successor ? "; looking for another path" : ""}`,
	failed: (reason: string, wait: number) => `${reason}; next try ${wait <= 0 ? "now" : `in ${seconds(wait)}`}`,
	pausedNoLink: (reason: string) => `${reason}; next try when the server can be reached`,
	again: (reason: string) => `trying again; last time: ${reason}`,
	excluded: "left out by ?only= in the page's address",
	noLink: "the link to the server is lost; trying again",
	deviceAway: "the server cannot reach the device",
	opening: "the device was asked and has not answered yet",
} as const;

/** Reasons for having no path at all, which the ladder cannot know. */
export const reasons = {
	connecting: "connecting to the server",
	noLink: "the server cannot be reached",
	offline: "the device is offline",
	opening: "waiting for the device's answer",
	refused: "the request was refused",
} as const;

/** FAILURES of attempts at a data-channel connection. */
export const FAILURES = {
	noLink: "the server, which introduces the two ends, could not be reached",
	timeout: "no direct path was found in 10 s: UDP may be blocked",
	ice: "no pair of addresses got through: UDP may be blocked",
	closed: "the connection was closed",
	silent: "it stopped answering",
	network: "the network changed",
	relayed: "the device has no direct paths",
	turnUnreachable: failure("turn-unreachable").reason,
	tcp: failure("tcp-blocked").reason,
	turnNoPath: failure("turn-no-path").reason,
} as const;

/** NO_TURN says why no connection is made through TURN. */
export const NO_TURN = {
	noServer: "the server names no TURN server",
	noURL: "the server names none that is reached this way",
	device: "the device was given no TURN server, or is an older version",
} as const;
