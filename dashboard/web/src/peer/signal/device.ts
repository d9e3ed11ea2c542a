import { clean, FormatError, MAX_DEVICE_NAME, Members } from "../wire";

const STATES = ["live", "reachable", "offline"] as const;

/** DeviceState is a device's presence (section 6.5). */
export type DeviceState = (typeof STATES)[number];

/** Device is what presence says of one device. */
export interface Device {
	id: string;
	name: string;
	state: DeviceState;
	since: number; // Unix seconds
	heardMs: number | null; // ms since it was last heard; null: not said
	session: number;
	facts: Record<string, string>;
}

/** Facts are short strings for people: more of them, or longer ones, are not shown. */
const MAX_FACTS = 32;
const MAX_FACT = 128;

/** parseDevice narrows a device. */
export function parseDevice(value: unknown): Device {
	const m = new Members(value);
	return {
		id: clean(m.text("id"), MAX_DEVICE_NAME),
		name: clean(m.text("name"), MAX_DEVICE_NAME),
		state: parseState(m.text("state")),
		since: m.number("since"),
		heardMs: m.has("heard_ms") ? m.uint("heard_ms") : null,
		session: m.uint("session"),
		facts: parseFacts(m),
	};
}

function parseState(text: string): DeviceState {
	const state = STATES.find((known) => known === text);
	if (state === undefined) throw new FormatError("signal", "unknown state of a device");
	return state;
}

function parseFacts(m: Members): Record<string, string> {
	const some = m.texts("facts").slice(0, MAX_FACTS);
	return Object.fromEntries(some.map(([key, value]) => [clean(key, MAX_FACT), clean(value, MAX_FACT)]));
}
