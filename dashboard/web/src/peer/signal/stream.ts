import { type Class, clean, FormatError, HISTORY_STREAM, MAX_STREAM_NAME, Members, parseClass } from "../wire";
import { type EpochSeq, parsePosition } from "./position";

/** Stream describes one stream (section 6.3). */
export interface Stream {
	id: number;
	name: string;
	class: Class;
	deadlineMs: number; // 0: none
	meta: unknown; // for the application: telemetry.parseMeta reads it
	start: EpochSeq | null; // Event only: the position after which delivery begins; null: not told
}

/** parseStream narrows a description; null: a later version's class, whose frames this one cannot read either. */
export function parseStream(value: unknown): Stream | null {
	const m = new Members(value);
	const id = m.uint("id");
	if (id === 0 || id >= HISTORY_STREAM) throw new FormatError("signal", "stream number out of range");
	const cls = parseClass(m.text("class"));
	if (cls === null) return null;
	return {
		id,
		name: clean(m.text("name"), MAX_STREAM_NAME) || `stream ${id}`,
		class: cls,
		deadlineMs: m.uint("deadline_ms"),
		meta: m.any("meta"),
		start: parseStart(m.text("start")),
	};
}

function parseStart(text: string): EpochSeq | null {
	if (text === "") return null;
	const start = parsePosition(text);
	if (start === null) throw new FormatError("signal", "start is no EPOCH:SEQ");
	return start;
}
