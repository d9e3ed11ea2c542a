import { CHART_AGE, CHART_BYTES, PIECE_ROWS, type Piece, ROW_BYTES } from "../archive/charts";
import { type DeviceStore, identity } from "./device";
import type { Columns } from "./ring";
import type { StreamStore } from "./stream";

/** pieces are the newest samples of a device's charts, for the page's next life. now is the device's time. */
export function pieces(store: DeviceStore, now: number): Piece[] {
	const streams = [...store.streams.values()].filter(isChart);
	const limit = Math.floor(CHART_BYTES / ROW_BYTES / Math.max(1, streams.length));
	return streams.flatMap((stream) => {
		const copy = stream.copy(now - CHART_AGE, limit);
		return copy === null ? [] : cut(identity(stream.info), copy.epoch, copy.columns);
	});
}

/** restore puts pieces back into streams that nothing has come of yet. */
export function restore(store: DeviceStore, kept: readonly Piece[]): void {
	const streams = [...store.streams.values()].filter((stream) => isChart(stream) && stream.ring.count === 0);
	const byName = new Map(streams.map((stream) => [identity(stream.info), stream]));
	for (const { stream, epoch, ...columns } of kept) byName.get(stream)?.restore(epoch, columns);
}

/** Texts are no charts, and Events are kept as they come. */
function isChart({ info }: StreamStore): boolean {
	return info.class !== "event" && info.meta.kind !== "text";
}

function cut(stream: string, epoch: string, { seqs, times, values, breaks }: Columns): Piece[] {
	const found: Piece[] = [];
	for (let from = 0; from < seqs.length; from += PIECE_ROWS) {
		const to = from + PIECE_ROWS;
		// Copies: a part of an array would be stored with the whole of it.
		found.push({
			stream,
			epoch,
			seqs: seqs.slice(from, to),
			times: times.slice(from, to),
			values: values.slice(from, to),
			breaks: breaks.slice(from, to),
		});
	}
	return found;
}
