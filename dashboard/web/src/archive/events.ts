import { DEVICES, done, EVENTS, of, openDatabase, result, words } from "./database";
import { type Chunk, type DeviceRecord, merge, newDevice } from "./device";
import type { Entry, Kept, Place } from "./entry";
import { expired, put, tidy } from "./prune";

/** What happened is written this much later, in ms, together with what happens until then. A reload asks for the rest again. */
const GATHER = 200;
/** As many entries are written at once: what comes of a device's past comes fast. */
const MANY = 1_000;
/**
 * Reading may hold up the opening of a device for this long, in ms; then nothing
 * is kept any more: what is written would not join on to what was not read.
 */
const PATIENCE = 1_000;
/** Entries that wait for the disk. One that takes none for so long is given up. */
const MAX_WAITING = 10_000;
const SILENT = "the browser's storage does not answer";

/** Loaded is what is kept of a device. */
export interface Loaded {
	id: string;
	places: Place[];
	entries: Kept[]; // in order
}

/** Archive keeps the Events of devices, and how far their streams got, over a reload of the page. */
export interface Archive {
	/** load reads what is kept of a device, by its id or the name it last had; null: nothing. */
	load(device: string): Promise<Loaded | null>;
	/** add keeps something that the page accepted, soon. */
	add(device: { id: string; name: string }, entry: Entry): void;
	/** hasRoom says whether something that can come later may come now: the disk is not behind. */
	readonly hasRoom: boolean;
	/** clear forgets everything. */
	clear(): void;
}

export interface EventArchiveOptions {
	/** later calls once after ms. */
	later(ms: number, call: () => void): unknown;
	/** onState says why nothing is kept; "": it is. */
	onState(problem: string): void;
}

interface Waiting {
	name: string;
	entries: Entry[];
}

/**
 * EventArchive is the Archive in IndexedDB. Entries and places are written in
 * one transaction, so that they never disagree. When the browser refuses, the
 * page goes on without it, and says so.
 */
export class EventArchive implements Archive {
	private database: IDBDatabase | null = null;
	private readonly opened: Promise<void>;
	private over = false; // the browser refused
	private waiting = new Map<string, Waiting>();
	private count = 0;
	private writing = false;
	private gathers = false; // until something is written: for a moment
	private writes = 0; // begun so far

	constructor(private readonly options: EventArchiveOptions) {
		this.opened = openDatabase().then(
			(database) => this.begin(database),
			(problem) => this.giveUp(problem),
		);
	}

	load(device: string): Promise<Loaded | null> {
		if (this.over) return Promise.resolve(null);
		return new Promise((resolve) => {
			let waiting = true;
			const answer = (loaded: Loaded | null) => {
				waiting = false;
				resolve(loaded);
			};
			const fail = (problem: unknown) => {
				if (waiting) this.giveUp(problem);
				answer(null);
			};
			this.options.later(PATIENCE, () => fail(new Error(SILENT)));
			this.opened.then(() => this.read(device)).then(answer, fail);
		});
	}

	add(device: { id: string; name: string }, entry: Entry): void {
		if (this.database === null) return;
		if (++this.count > MAX_WAITING) {
			this.giveUp(new Error(SILENT));
			return;
		}
		const waiting = this.waiting.get(device.id) ?? { name: device.name, entries: [] };
		waiting.entries.push(entry);
		this.waiting.set(device.id, waiting);
		if (!this.writing) this.writeSoon();
		if (this.gathers && this.count >= MANY) this.writeNow();
	}

	get hasRoom(): boolean {
		return this.count < MAX_WAITING / 2;
	}

	clear(): void {
		this.waiting.clear();
		if (this.database === null) return;
		const transaction = change(this.database);
		transaction.objectStore(DEVICES).clear();
		transaction.objectStore(EVENTS).clear();
	}

	private begin(database: IDBDatabase): void {
		if (this.over) {
			database.close();
			return;
		}
		this.database = database;
		this.options.onState("");
	}

	private async read(device: string): Promise<Loaded | null> {
		if (this.database === null) return null;
		const transaction = this.database.transaction([DEVICES, EVENTS]);
		const records: DeviceRecord[] = await result(transaction.objectStore(DEVICES).getAll());
		const record = find(records, device, Date.now());
		if (record === undefined) return null;
		const chunks: Chunk[] = await result(transaction.objectStore(EVENTS).getAll(of(record.id)));
		if (this.database !== null) tidy(change(this.database), Date.now());
		const fresh = chunks.filter(({ at }) => !expired(at, Date.now()));
		return { id: record.id, places: record.places, entries: fresh.flatMap(({ entries }) => entries) };
	}

	/** One transaction at a time: what comes meanwhile is in the next one. */
	private writeSoon(): void {
		this.writing = this.gathers = true;
		const began = ++this.writes;
		this.options.later(GATHER, () => {
			if (this.gathers && began === this.writes) this.writeNow();
		});
	}

	private writeNow(): void {
		this.gathers = false;
		this.write().then(
			() => {
				this.writing = false;
				if (this.waiting.size > 0) this.writeSoon();
			},
			(problem) => this.giveUp(problem),
		);
	}

	private async write(): Promise<void> {
		if (this.database === null) return;
		const { waiting } = this;
		this.waiting = new Map();
		this.count = 0;
		const transaction = change(this.database);
		const finished = done(transaction);
		for (const [id, { name, entries }] of waiting) {
			const request: IDBRequest<DeviceRecord | undefined> = transaction.objectStore(DEVICES).get(id);
			request.onsuccess = () => write(transaction, request.result ?? newDevice(id), name, entries);
		}
		await finished;
	}

	private giveUp(problem: unknown): void {
		if (this.over) return;
		this.over = true;
		this.database?.close();
		this.database = null;
		this.waiting.clear();
		this.count = 0;
		this.options.onState(words(problem));
	}
}

/** Relaxed: what a crash of the computer takes away the device still has. */
function change(database: IDBDatabase): IDBTransaction {
	return database.transaction([DEVICES, EVENTS], "readwrite", { durability: "relaxed" });
}

function write(transaction: IDBTransaction, record: DeviceRecord, name: string, entries: readonly Entry[]): void {
	const now = Date.now();
	const chunk = merge(record, name, entries, now);
	if (chunk.entries.length > 0) transaction.objectStore(EVENTS).put(chunk);
	put(transaction, record, now);
}

/** find prefers the id: a name may have belonged to several devices, the last of which is meant. */
function find(records: readonly DeviceRecord[], device: string, now: number): DeviceRecord | undefined {
	const alive = records.filter(({ at }) => !expired(at, now));
	const named = alive.filter(({ name }) => name === device).sort((a, b) => b.at - a.at);
	return alive.find(({ id }) => id === device) ?? named[0];
}
