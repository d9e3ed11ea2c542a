import type { Device, Finding, Rung, RungInfo } from "../../port";
import { clock, duration } from "./time";

/** The names of the rungs for people, best first. The command line and the logs use the short ones. */
export { RUNG_WORDS as RUNG_NAMES } from "../../peer/words";

/** RELAYED are the rungs that need the link to the server. */
export const RELAYED: ReadonlySet<Rung> = new Set(["ws", "sse", "poll"]);

export const RUNG_STATES: Record<RungInfo["state"], string> = {
	use: "in use",
	warm: "warm spare",
	trying: "being tried",
	failed: "failed",
	off: "not tried",
};

/** FINDING_NAMES are the ways that a survey of the network looks at. */
export const FINDING_NAMES: Record<Finding["name"], string> = {
	nat: "NAT",
	"relay-udp": "UDP to the server",
	"relay-tcp": "TCP to the server (ICE-TCP)",
	"turn-udp": "TURN over UDP",
	"turn-tcp": "TURN over TCP",
	"turn-tls": "TURN over TLS",
};

export const FINDING_WORDS: Record<Finding["verdict"], string> = {
	ok: "works",
	failed: "failed",
	unknown: "unknown",
	trying: "being tried",
};

/** What becomes of frames that are dropped here, by the reasons of the protocol, and of samples that the page did not fetch. */
export const DROP_WORDS: Record<string, string> = {
	duplicate: "came twice, over two paths: one is kept",
	deadline: "came too late",
	"old-epoch": "from before the device restarted",
	"unknown-stream": "of streams not described yet",
	malformed: "could not be read",
	sealed: "sealed, and there is no key here",
	limit: "beyond a limit",
	role: "commands with a token that may not command",
	"queue-full": "no room in a queue",
	replaced: "replaced by a newer one",
	"no-path": "no path",
	page: "samples: this page was hidden, or too busy to draw them",
};

/** presence says a device's state in words; text beside every dot. lostAt: since then nobody tells; null: somebody does. */
export function presence(device: Device, now: number, listedAt: number, lostAt: number | null = null): string {
	if (lostAt !== null && device.state !== "offline") return `Was ${device.state} at ${clock(lostAt, now)}`;
	if (device.state === "live") return "Live";
	if (device.state === "offline") return `Offline since ${clock(device.since * 1_000, now)}`;
	if (device.heardMs === null) return "Reachable";
	return `Reachable · heard ${duration(device.heardMs + now - listedAt)} ago`;
}

/** presenceHere says the same where a path of this page goes on: it tells by itself that the device is there, whatever the server has heard. */
export function presenceHere(device: Device, now: number, listedAt: number): string {
	if (device.state !== "offline") return presence(device, now, listedAt);
	return `Live · without its link to the server since ${clock(device.since * 1_000, now)}`;
}

/** From here on a difference of clocks is worth a word: people set them by hand to a few seconds. */
const CLOCK_WRONG_MS = 5_000;

/** clockNote says that the device's clock is another than this one; empty: it is not, or nobody knows. Ages and charts are right in any case. */
export function clockNote(offsetMs: number | null, offsetErrMs: number | null): string {
	if (offsetMs === null || offsetErrMs === null) return "";
	const size = Math.abs(offsetMs);
	if (size - offsetErrMs < CLOCK_WRONG_MS) return "";
	return `its clock is ${duration(size)} ${offsetMs > 0 ? "ahead of" : "behind"} this one`;
}

/** A space at which no line ends. */
const JOINED = "\u00a0";
const FACT_ORDER = ["model", "os", "arch", "host", "agent"];

/** facts is the line under a device's name: what it says of itself, then how many streams it has. */
export function facts(device: Device, streams: number | null, now: number): string {
	const known = FACT_ORDER.filter((key) => device.facts[key]).map((key) => fact(key, device.facts[key] ?? ""));
	const others = Object.keys(device.facts).filter((key) => !FACT_ORDER.includes(key) && device.facts[key]);
	const rest = others.map((key) => (key === "boot" ? up(device.facts[key] ?? "", now) : `${key} ${device.facts[key]}`));
	const count = streams === null ? [] : [streams === 1 ? `1${JOINED}stream` : `${streams}${JOINED}streams`];
	return [...known, ...count, ...rest].join(" · ");
}

function fact(key: string, value: string): string {
	return key === "agent" ? `agent ${value}` : value;
}

/** A device tells when it was started; people ask how long it is up. */
function up(boot: string, now: number): string {
	const at = Date.parse(boot);
	return Number.isNaN(at) || at > now ? `boot ${boot}` : `up ${duration(now - at)}`;
}

/** coded takes a text apart at its backticks: what is between two is code. A lone one is itself. */
export function coded(text: string): { code: boolean; words: string }[] {
	const parts = text.split("`");
	if (parts.length % 2 === 0) return [{ code: false, words: text }];
	return parts.map((words, i) => ({ code: i % 2 === 1, words })).filter(({ words }) => words !== "");
}

/** sentence makes one of a phrase: servers and devices say their reasons in small letters. */
export function sentence(text: string): string {
	if (!text.includes(" ")) return text; // nothing, or an address
	const first = text.charAt(0).toUpperCase() + text.slice(1);
	return /[.!?]$/.test(first) ? first : `${first}.`;
}
