import { clean, FormatError, MAX_AXES, MAX_COMMAND, Members, parseJSON, printable } from "../wire";
import { type Axis, type Description, type Method, type Operator, type Outcome, STATES, type State } from "./message";

/** Longest sentence for people, and longest word or name, in characters. */
const MAX_SENTENCE = 512;
const MAX_WORD = 128;
/** Methods of a device and requests of a lease beyond which the rest is left out: a screen shows no more. */
const MAX_METHODS = 64;
const MAX_ASKS = 16;

/** parse reads the body of an Outcome frame; null: a type that this version does not know, to be skipped. */
export function parse(body: Uint8Array): Outcome | null {
	const m = new Members(parseJSON(body, MAX_COMMAND, "outcome"));
	const answer = {
		id: word(m, "id"),
		code: word(m, "code"),
		reason: clean(m.text("reason"), MAX_SENTENCE),
		epoch: m.uint("epoch"),
		at: m.uint("at"),
	};
	switch (m.text("type")) {
		case "call":
			return { type: "call", ...answer, ...call(m) };
		case "lease":
			return { type: "lease", ...answer, ...lease(m) };
		case "stop":
			return {
				type: "stop",
				...answer,
				stopped: m.bool("stopped"),
				by: word(m, "by"),
				since: m.uint("since"),
				tookUs: m.uint("took_us"),
			};
		case "machine":
			return {
				type: "machine",
				...answer,
				description: m.has("machine") ? description(m.any("machine")) : null,
				moving: m.bool("moving"),
			};
		case "":
			throw new FormatError("signal", "outcome without a type");
		default:
			return null;
	}
}

function call(m: Members) {
	const progress = m.has("progress") ? Math.min(1, Math.max(0, m.number("progress"))) : null;
	return { state: state(m.text("state")), progress, result: m.any("result"), tookUs: m.uint("took_us") };
}

function state(text: string): State | null {
	const known = STATES.find((one) => one === text);
	if (known === undefined && text !== "") throw new FormatError("signal", "unknown state of a call");
	return known ?? null;
}

function lease(m: Members) {
	return {
		fence: m.uint("fence"),
		holder: m.has("holder") ? operator(m.any("holder")) : null,
		mine: m.bool("mine"),
		ttlMs: m.uint("ttl_ms"),
		asks: m.list("asks", operator).slice(0, MAX_ASKS),
	};
}

function operator(value: unknown): Operator {
	const m = new Members(value);
	return { id: word(m, "id"), name: word(m, "name"), role: word(m, "role") };
}

function description(value: unknown): Description {
	const m = new Members(value);
	return {
		name: word(m, "name"),
		methods: unique(m.list("methods", method).slice(0, MAX_METHODS), ({ name }) => name),
		axes: unique(m.list("axes", axis).slice(0, MAX_AXES), ({ id }) => id),
		deadmanMs: m.uint("deadman_ms"),
		ageMs: m.uint("age_ms"),
		simulated: m.bool("simulated"),
	};
}

function method(value: unknown): Method | null {
	const m = new Members(value);
	const name = m.text("name");
	// It is said to the device as it is: one that cannot be shown as it is cannot be meant.
	if (name === "" || name.length > MAX_WORD || !printable(name)) return null;
	return {
		name,
		label: word(m, "label"),
		help: clean(m.text("help"), MAX_SENTENCE),
		params: m.any("params"),
		role: word(m, "role"),
		lease: m.bool("lease"),
		danger: m.bool("danger"),
		limitMs: m.uint("limit_ms"),
	};
}

function axis(value: unknown): Axis | null {
	const m = new Members(value);
	const id = m.uint("id");
	const [min, max, neutral] = [m.number("min"), m.number("max"), m.number("neutral")];
	if (id < 1 || id > MAX_AXES || min >= max || neutral < min || neutral > max) return null;
	return {
		id,
		name: word(m, "name"),
		label: word(m, "label"),
		unit: word(m, "unit"),
		min,
		max,
		slew: m.number("slew"),
		neutral,
		stream: word(m, "stream"),
	};
}

/** unique keeps the first of those with the same key; null: what cannot be used. */
function unique<T>(list: (T | null)[], key: (one: T) => unknown): T[] {
	const seen = new Set<unknown>();
	return list.filter((one): one is T => {
		if (one === null || seen.has(key(one))) return false;
		seen.add(key(one));
		return true;
	});
}

function word(m: Members, name: string): string {
	return clean(m.text(name), MAX_WORD);
}
