// The one door to IndexedDB. Worker and page have a connection each, to the
// same database; whoever comes first makes it.

const NAME = "telepath";
const VERSION = 1;
/** Devices that were open here: how far their Event streams got, and how much of them is kept. */
export const DEVICES = "devices";
/** Their Events, in chunks of what was written at once. */
export const EVENTS = "events";
/** Samples of their charts, in pieces. */
export const CHARTS = "charts";

/** openDatabase opens the database or says in words why there is none. */
export function openDatabase(): Promise<IDBDatabase> {
	return new Promise((resolve, reject) => {
		if (typeof indexedDB === "undefined") throw new Error("this browser keeps nothing for pages");
		const request = indexedDB.open(NAME, VERSION);
		request.onupgradeneeded = () => {
			request.result.createObjectStore(DEVICES, { keyPath: "id" });
			request.result.createObjectStore(EVENTS, { keyPath: ["device", "n"] });
			request.result.createObjectStore(CHARTS, { keyPath: ["device", "n"] });
		};
		request.onsuccess = () => {
			const database = request.result;
			// A later version of this page, in another tab, wants to change it: this one then keeps nothing more.
			database.onversionchange = () => database.close();
			resolve(database);
		};
		request.onerror = () => reject(request.error);
	});
}

/** done waits for the end of a transaction. */
export function done(transaction: IDBTransaction): Promise<void> {
	return new Promise((resolve, reject) => {
		transaction.oncomplete = () => resolve();
		transaction.onabort = () => reject(transaction.error ?? new Error("the browser ended the transaction"));
	});
}

/** result waits for what a request finds. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

/** words says why something could not be kept. */
export function words(problem: unknown): string {
	const name = problem instanceof DOMException ? problem.name : "";
	if (name === "QuotaExceededError") return "the browser's storage is full";
	if (name !== "") return "the browser keeps nothing for this page (a private window?)";
	return problem instanceof Error ? problem.message : String(problem);
}

/** of is all that a store keeps of one device: arrays come after all numbers. */
export function of(device: string): IDBKeyRange {
	return IDBKeyRange.bound([device], [device, []]);
}
