import { advance, type Entry, type Kept, newPlace, type Place } from "./entry";

/** DeviceRecord is what is known of a device beside its entries; it is written with them in one transaction. */
export interface DeviceRecord {
	id: string;
	name: string;
	/** When something was last kept, ms since the Unix epoch. */
	at: number;
	/** Number of the next chunk. */
	next: number;
	events: number;
	bytes: number;
	places: Place[];
}

/** Chunk is what one transaction keeps of a device. */
export interface Chunk {
	device: string;
	n: number;
	at: number;
	events: number;
	bytes: number;
	entries: Kept[];
}

/** Bytes that an entry takes beside its payload, roughly. */
const OVERHEAD = 64;

export function newDevice(id: string): DeviceRecord {
	return { id, name: "", at: 0, next: 0, events: 0, bytes: 0, places: [] };
}

/** merge brings a record up to date and returns what is to be kept with it. Several tabs may bring the same. */
export function merge(record: DeviceRecord, name: string, entries: readonly Entry[], now: number): Chunk {
	const kept = entries.map((entry) => step(record, entry)).filter((entry) => entry !== null);
	const chunk = {
		device: record.id,
		n: record.next,
		at: now,
		events: kept.reduce((sum, entry) => sum + (entry.what === "batch" ? entry.take : 1), 0),
		bytes: kept.reduce((sum, entry) => sum + OVERHEAD + (entry.what === "batch" ? entry.payload.length : 0), 0),
		entries: kept,
	};
	record.name = name;
	record.at = now;
	record.events += chunk.events;
	record.bytes += chunk.bytes;
	if (kept.length > 0) record.next++;
	return chunk;
}

function step(record: DeviceRecord, entry: Entry): Kept | null {
	let place = record.places.find(({ name }) => name === entry.name);
	if (place === undefined) {
		place = newPlace(entry);
		record.places.push(place);
	}
	return advance(place, entry);
}
