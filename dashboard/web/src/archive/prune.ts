import { DEVICES, EVENTS, of } from "./database";
import type { Chunk, DeviceRecord } from "./device";

/** What is kept of a device at most. */
export const MAX_EVENTS = 5_000;
export const MAX_BYTES = 8 * 1024 * 1024;
/** As much beyond the bounds is let be, so that pruning is rare. */
const SLACK = 1.1;
/** Devices that something is kept of. */
const MAX_DEVICES = 50;
/** Nothing is kept longer than 30 days. */
const MAX_AGE = 30 * 24 * 3_600_000;

export function expired(at: number, now: number): boolean {
	return now - at > MAX_AGE;
}

/** put writes a device's record, after dropping its oldest chunks if there are too many. */
export function put(transaction: IDBTransaction, record: DeviceRecord, now: number): void {
	if (within(record, SLACK)) transaction.objectStore(DEVICES).put(record);
	else trim(transaction, record, now);
}

/** tidy drops what is too old, and the devices that were not open for longest. */
export function tidy(transaction: IDBTransaction, now: number): void {
	const request: IDBRequest<DeviceRecord[]> = transaction.objectStore(DEVICES).getAll();
	request.onsuccess = () => {
		const records = request.result.sort((a, b) => b.at - a.at);
		for (const [i, record] of records.entries()) {
			if (i < MAX_DEVICES && !expired(record.at, now)) {
				trim(transaction, record, now);
				continue;
			}
			transaction.objectStore(DEVICES).delete(record.id);
			transaction.objectStore(EVENTS).delete(of(record.id));
		}
	};
}

function trim(transaction: IDBTransaction, record: DeviceRecord, now: number): void {
	const request = transaction.objectStore(EVENTS).openCursor(of(record.id));
	request.onsuccess = () => {
		const chunk: Chunk | undefined = request.result?.value;
		if (chunk === undefined || (within(record, 1) && !expired(chunk.at, now))) {
			transaction.objectStore(DEVICES).put(record);
			return;
		}
		record.events -= chunk.events;
		record.bytes -= chunk.bytes;
		request.result?.delete();
		request.result?.continue();
	};
}

function within({ events, bytes }: DeviceRecord, slack: number): boolean {
	return events <= MAX_EVENTS * slack && bytes <= MAX_BYTES * slack;
}
