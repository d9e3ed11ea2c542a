import { clean, FormatError, MAX_CANDIDATE, MAX_SDP, MAX_SIGNAL, MAX_STREAM_ID, Members, parseJSON } from "../wire";
import { type Device, parseDevice } from "./device";
import { type EpochSeq, parseEpoch, parsePosition } from "./position";
import { parseServers, type TurnServer } from "./server";
import { parseStream, type Stream } from "./stream";

/** Refusal says what happened and what to do, beside a code of section 6.6. */
export interface Refusal {
	code: string;
	reason: string;
	remedy: string;
}

/** ToViewer is every signal that a viewer hears; section 6 says from whom and when. */
export type ToViewer =
	| {
			type: "welcome";
			server: string;
			role: string;
			time: number; // µs
			intercepted: boolean; // something between opens this link's TLS; false: nothing is known
			udp: number | null; // port; null: not said
	  }
	| ({ type: "refuse" } & Refusal)
	| { type: "devices"; full: boolean; devices: Device[] }
	| { type: "opened"; device: Device; servers: TurnServer[] }
	| { type: "servers"; servers: TurnServer[] } // of no Conn
	| ({ type: "refused"; candidates: Device[] } & Refusal)
	| {
			type: "accept";
			id: string;
			epoch: number;
			now: number; // µs
			relayed: boolean; // no direct paths
			turned: boolean; // the device can make turned connections
			history: boolean; // it keeps a spool
	  }
	| { type: "history"; transfer: string; done: boolean }
	| { type: "describe"; epoch: number; revision: number /* with which this is whole; 0: none */; streams: Stream[] }
	| { type: "answer"; attempt: number; sdp: string }
	| { type: "candidate"; attempt: number; candidate: string; mid: string }
	| { type: "retry"; turned: boolean }
	| { type: "state"; device: Device }
	| { type: "end"; code: string; reason: string }
	| { type: "bye"; final: Map<number, EpochSeq> /* by stream number */ };

/** Longest sentence shown of a refusal, in characters. */
const MAX_SENTENCE = 512;
/** Longest identifier: a code, a role, a UUID, a server's name. */
const MAX_WORD = 128;

/** parse reads the body of a Signal frame; null: a type that this version does not know, to be skipped. */
export function parse(body: Uint8Array): ToViewer | null {
	const m = new Members(parseJSON(body, MAX_SIGNAL, "signal"));
	switch (m.text("type")) {
		case "welcome":
			return welcome(m);
		case "refuse":
			return { type: "refuse", ...refusal(m) };
		case "devices":
			return { type: "devices", full: m.bool("full"), devices: m.list("devices", parseDevice) };
		case "opened":
			return { type: "opened", device: parseDevice(m.any("device")), servers: parseServers(m) };
		case "servers":
			return { type: "servers", servers: parseServers(m) };
		case "refused":
			return { type: "refused", ...refusal(m), candidates: m.list("candidates", parseDevice) };
		case "accept":
			return {
				type: "accept",
				id: word(m, "id"),
				epoch: epoch(m),
				now: m.uint("now"),
				relayed: m.bool("relayed"),
				turned: m.bool("turned"),
				history: m.bool("history"),
			};
		case "history":
			return { type: "history", transfer: word(m, "transfer"), done: m.bool("done") };
		case "describe":
			return {
				type: "describe",
				epoch: epoch(m),
				revision: m.uint("revision"),
				streams: m.list("streams", parseStream).filter((s) => s !== null),
			};
		case "answer":
			return { type: "answer", attempt: m.uint("attempt"), sdp: bounded(m, "sdp", MAX_SDP) };
		case "candidate":
			return candidate(m);
		case "retry":
			return { type: "retry", turned: m.bool("turned") };
		case "state":
			return { type: "state", device: parseDevice(m.any("device")) };
		case "end":
			return { type: "end", code: word(m, "code"), reason: clean(m.text("reason"), MAX_SENTENCE) };
		case "bye":
			return { type: "bye", final: new Map(m.texts("final").map(final)) };
		case "":
			throw new FormatError("signal", "signal without a type");
		default:
			return null;
	}
}

function refusal(m: Members): Refusal {
	const sentence = (name: string) => clean(m.text(name), MAX_SENTENCE);
	return { code: word(m, "code"), reason: sentence("reason"), remedy: sentence("remedy") };
}

function welcome(m: Members): ToViewer {
	const who = { server: word(m, "server"), role: word(m, "role"), time: m.uint("time") };
	const udp = m.has("udp") ? m.uint("udp") : null;
	return { type: "welcome", ...who, intercepted: m.bool("intercepted"), udp };
}

function candidate(m: Members): ToViewer {
	const text = bounded(m, "candidate", MAX_CANDIDATE);
	return { type: "candidate", attempt: m.uint("attempt"), candidate: text, mid: word(m, "mid") };
}

function final([stream, position]: [string, string]): [number, EpochSeq] {
	const id = Number(stream);
	const at = parsePosition(position);
	if (!Number.isInteger(id) || id < 1 || id > MAX_STREAM_ID || at === null) {
		throw new FormatError("signal", "final is no list of positions");
	}
	return [id, at];
}

function word(m: Members, name: string): string {
	return clean(m.text(name), MAX_WORD);
}

function bounded(m: Members, name: string, limit: number): string {
	const text = m.text(name);
	if (text.length > limit) throw new FormatError("signal", `${name} is longer than ${limit}`);
	return text;
}

function epoch(m: Members): number {
	const parsed = parseEpoch(m.text("epoch"));
	if (parsed === null || parsed === 0) throw new FormatError("signal", "epoch is no epoch");
	return parsed;
}
