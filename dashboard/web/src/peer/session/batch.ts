/** NEVER is a wake-up that does not come: nothing will change without an event. */
export const NEVER = Infinity;

/** Batch is consecutive samples of one stream, as one Data frame carries them. */
export interface Batch {
	readonly seq: number; // of the first sample; the first of an epoch has 1
	readonly count: number; // samples, at least 1
	readonly body: Uint8Array; // header and payload; never modified again
}

/** lastOf is the sequence number of the last sample. */
export function lastOf(b: { readonly seq: number; readonly count: number }): number {
	return b.seq + b.count - 1;
}

/**
 * BATCH_OVERHEAD is what a batch costs beside its bytes, in bytes, so that
 * bounds in bytes bound the memory of many tiny batches, too.
 */
export const BATCH_OVERHEAD = 64;

/** sizeOf is what a batch costs, in bytes. */
export function sizeOf(bytes: Uint8Array): number {
	return bytes.length + BATCH_OVERHEAD;
}

/** search is the first index below n at which it holds, n if there is none; it must hold from there on. */
export function search(n: number, holds: (i: number) => boolean): number {
	let from = 0;
	let to = n;
	while (from < to) {
		const middle = Math.floor((from + to) / 2);
		if (holds(middle)) to = middle;
		else from = middle + 1;
	}
	return from;
}
