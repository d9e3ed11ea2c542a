import { FormatError } from "./fault";
import { Reader } from "./reader";
import { MAX_STREAM_ID } from "./wire";
import type { Writer } from "./writer";

/** GAP_REASONS say why samples will never come (section 3.4). */
export const GAP_REASONS = {
	ring: 1, // overwritten before it could be sent
	restart: 2, // the producer ended
	"unknown-position": 3, // asked for a position that was never there
	refused: 4, // the receiver cannot read them
	spool: 5, // the device's disk did not take them, or has them no more
} as const;

/** gapReasonName is a reason's name as JSON and the page show it. */
export function gapReasonName(reason: number): string {
	return Object.entries(GAP_REASONS).find(([, number]) => number === reason)?.[0] ?? "unknown";
}

/** Gap declares that samples from … to of an epoch will not come; to is 0 where nobody knows how many are missing. */
export interface Gap {
	stream: number;
	epoch: number;
	from: number;
	to: number;
	reason: number;
}

/** parseGap reads a Gap frame's body. */
export function parseGap(body: Uint8Array): Gap {
	const r = new Reader(body);
	const stream = r.uvarint(MAX_STREAM_ID);
	const gap = { stream, epoch: r.u32(), from: r.uvarint(), to: r.uvarint(), reason: r.u8() };
	if (stream === 0 || gap.from === 0 || (gap.to !== 0 && gap.to < gap.from)) throw new FormatError("range");
	return gap;
}

/** appendGap appends a Gap frame's body. */
export function appendGap(w: Writer, g: Gap): Writer {
	return w.uvarint(g.stream).u32(g.epoch).uvarint(g.from).uvarint(g.to).u8(g.reason);
}
