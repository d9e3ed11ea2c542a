import { CHARTS, of, openDatabase, result } from "./database";

/** Charts are kept for a reload, not for tomorrow: what is older than this, in ms, is of no use. */
export const CHART_AGE = 600_000;
/** All pieces of a device together, in bytes: what a page can hand over while it is being closed, in 15 ms. */
export const CHART_BYTES = 4 * 1024 * 1024;
/** Bytes of a row of a piece. */
export const ROW_BYTES = 25;
/** Rows of a piece at most: 48 kB. Chromium finishes what a closing page wrote in small records; one of 8 MB it drops. */
export const PIECE_ROWS = 1_920;

/** Reading may hold up the first picture of a device for this long, in ms: what the Worker reads of it waits no longer either. */
const PATIENCE = 1_000;

/** Piece is a stretch of one stream, in columns as a store's ring has them. */
export interface Piece {
	stream: string; // name and kind
	epoch: string;
	seqs: Float64Array;
	times: Float64Array;
	values: Float64Array;
	breaks: Uint8Array;
}

interface StoredPiece extends Piece {
	device: string;
	n: number;
	at: number;
}

/**
 * ChartArchive keeps the samples of a device's charts while its page is loaded
 * again. They are written when the page is left, so that they cost nothing
 * before. A browser that keeps nothing draws its charts from the first new sample.
 */
export class ChartArchive {
	private database: IDBDatabase | null = null;
	private readonly opened: Promise<void>;

	constructor() {
		this.opened = openDatabase().then(
			(database) => {
				this.database = database;
			},
			() => undefined, // the Worker's archive meets the same and says so
		);
	}

	/** load reads the pieces of a device, in order; none where the browser does not answer. */
	load(device: string, now: number): Promise<Piece[]> {
		return new Promise((resolve) => {
			const patience = setTimeout(() => resolve([]), PATIENCE);
			void this.read(device, now).then((pieces) => {
				clearTimeout(patience);
				resolve(pieces);
			});
		});
	}

	private async read(device: string, now: number): Promise<Piece[]> {
		try {
			await this.opened;
			if (this.database === null) return [];
			const store = this.database.transaction(CHARTS, "readwrite", { durability: "relaxed" }).objectStore(CHARTS);
			const pieces: StoredPiece[] = await result(store.getAll(of(device)));
			dropOld(store, now);
			return pieces.filter(({ at }) => now - at < CHART_AGE);
		} catch {
			return [];
		}
	}

	/** save puts these in the place of what there is of the device. It is called while the page is closed: nothing here waits. */
	save(device: string, pieces: readonly Piece[], at: number): void {
		if (this.database === null) return;
		try {
			const transaction = this.database.transaction(CHARTS, "readwrite", { durability: "relaxed" });
			const store = transaction.objectStore(CHARTS);
			store.delete(of(device));
			for (const [n, piece] of pieces.entries()) store.put({ ...piece, device, n, at });
			transaction.commit();
		} catch {
			// A full disk: there will be one picture less after the reload.
		}
	}

	clear(): void {
		this.database?.transaction(CHARTS, "readwrite").objectStore(CHARTS).clear();
	}
}

/** dropOld looks at the first piece of each device and drops all of those that are too old. */
function dropOld(store: IDBObjectStore, now: number): void {
	const request = store.openCursor();
	request.onsuccess = () => {
		const piece: StoredPiece | undefined = request.result?.value;
		if (piece === undefined) return;
		if (now - piece.at >= CHART_AGE) store.delete(of(piece.device));
		request.result?.continue([piece.device, []]);
	};
}
