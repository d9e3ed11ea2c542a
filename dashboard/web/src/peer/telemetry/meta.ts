import { clean, FormatError, Members } from "../wire";
import { KINDS, type Kind } from "./kind";

/** Meta is the `meta` member of a stream's description (section 6.3): what a screen needs to know to draw it well. */
export interface Meta {
	kind: Kind;
	unit: string; // as people write it: °C, %, kB/s
	label: string; // for people; "": the stream's name is enough
	group: string; // streams of one group share a chart; "": none
	min: number | null; // nominal range; values may leave it
	max: number | null;
	periodMs: number | null; // nominal time between samples; null: unknown
	source: string; // which source it comes from
	simulated: boolean; // not a measurement
}

/** Limits of a description's texts, in characters: they are labels. */
const MAX_UNIT = 32;
const MAX_LABEL = 128;

/**
 * parseMeta narrows a description made by somebody else. It refuses what it
 * cannot read and makes the rest safe to show: texts lose what is not
 * printable and are cut to their limits, a range that is none is dropped.
 */
export function parseMeta(value: unknown): Meta {
	const m = new Members(value ?? {});
	return {
		kind: parseKind(m.text("kind")),
		unit: clean(m.text("unit"), MAX_UNIT),
		label: clean(m.text("label"), MAX_LABEL),
		group: clean(m.text("group"), MAX_LABEL),
		...parseRange(m),
		periodMs: m.number("period_ms") > 0 ? m.number("period_ms") : null,
		source: clean(m.text("source"), MAX_LABEL),
		simulated: m.bool("simulated"),
	};
}

function parseKind(text: string): Kind {
	const kind = KINDS.find((known) => known === (text || "number"));
	if (kind === undefined) throw new FormatError("form", "unknown kind: want number, bool, text or bytes");
	return kind;
}

function parseRange(m: Members): { min: number | null; max: number | null } {
	const min = m.has("min") ? m.number("min") : null;
	const max = m.has("max") ? m.number("max") : null;
	return min !== null && max !== null && min >= max ? { min: null, max: null } : { min, max };
}
