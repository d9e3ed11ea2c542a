import type { DeviceClock } from "../../store/clock";
import type { StreamStore } from "../../store/stream";
import { duration, preciseClock } from "../format/time";

/** Note is what a card says of the freshness of its values. */
export interface Note {
	kind: "fresh" | "empty" | "kept" | "stale";
	text: string;
}

const FRESH: Note = { kind: "fresh", text: "" };
const EMPTY: Note = { kind: "empty", text: "No value yet" };

/** note judges a card by its newest value; now is the device's time. */
export function note(streams: readonly StreamStore[], now: number, clock: DeviceClock): Note {
	const newest = newestOf(streams);
	if (newest === null) return EMPTY;
	const { time, retained } = newest.latest;
	const at = preciseClock(clock.toPage(time), clock.toPage(now));
	if (retained) return { kind: "kept", text: `Kept value, ${duration(now - time)} old: ${at}` };
	if (!streams.every((stream) => stream.isStale(now))) return FRESH;
	return { kind: "stale", text: `Stale for ${duration(now - time)}: last value ${at}` };
}

function newestOf(streams: readonly StreamStore[]): StreamStore | null {
	let newest: StreamStore | null = null;
	for (const stream of streams) {
		if (Number.isNaN(stream.latest.time)) continue;
		if (newest === null || stream.latest.time > newest.latest.time) newest = stream;
	}
	return newest;
}
