// What is kept of an Event stream, and how far it got. Streams go by their
// names: numbers are a device's for one run only.

/** Place is how far a stream of class Event got: everything up to it is kept here or was declared missing. */
export interface Place {
	/** The stream's number in that epoch. */
	id: number;
	name: string;
	epoch: number;
	seq: number;
	/** The last sequence number of the epoch, where its end is known. */
	final: number | null;
	/** Epochs before this one, the newest first: a tab that lags behind brings none of them back. */
	older: number[];
}

/** Epochs that a place remembers as gone. */
const OLDER = 4;

/** What happened to a stream. */
export type What =
	| { what: "start"; seq: number } // delivery begins after this one
	| { what: "batch"; seq: number; count: number; skip: number; take: number; payload: Uint8Array }
	| { what: "gap"; from: number; to: number | null; reason: number } // null: nobody knows how many
	| { what: "final"; seq: number }; // the device said goodbye: this is the last one

/** Entry is something that happened to a stream, in its order. */
export type Entry = { id: number; name: string; epoch: number } & What;

/** Kept is an entry that is worth keeping: the others only move the place. */
export type Kept = Extract<Entry, { what: "batch" | "gap" }>;

/** advance moves a stream's place by an entry and returns what of the entry is new; null: nothing to keep. */
export function advance(place: Place, entry: Entry): Kept | null {
	if (place.older.includes(entry.epoch)) return null;
	if (entry.epoch !== place.epoch) enter(place, entry.epoch);
	place.id = entry.id;
	switch (entry.what) {
		case "start":
			place.seq = Math.max(place.seq, entry.seq);
			return null;
		case "final":
			place.final = entry.seq;
			return null;
		case "gap":
			return advanceGap(place, entry);
		case "batch":
			return advanceBatch(place, entry);
	}
}

/** newPlace is where a stream stands before its first entry. */
export function newPlace({ id, name, epoch }: Entry): Place {
	return { id, name, epoch, seq: 0, final: null, older: [] };
}

function enter(place: Place, epoch: number): void {
	place.older = [place.epoch, ...place.older].slice(0, OLDER);
	place.epoch = epoch;
	place.seq = 0;
	place.final = null;
}

function advanceGap(place: Place, gap: Extract<Entry, { what: "gap" }>): Kept | null {
	if (gap.to === null) {
		if (place.final !== null && place.final <= place.seq) return null;
		place.final = place.seq;
		return gap;
	}
	if (gap.to <= place.seq) return null;
	const from = Math.max(gap.from, place.seq + 1);
	place.seq = gap.to;
	return { ...gap, from };
}

/** Another tab may have kept a part of the batch already. */
function advanceBatch(place: Place, batch: Extract<Entry, { what: "batch" }>): Kept | null {
	const first = batch.seq + batch.skip;
	const known = Math.max(0, place.seq + 1 - first);
	if (known >= batch.take) return null;
	place.seq = first + batch.take - 1;
	return { ...batch, skip: batch.skip + known, take: batch.take - known };
}
