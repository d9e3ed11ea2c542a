import { MAX_INT } from "../wire";

/** EpochSeq is a sequence number and the epoch that it belongs to. */
export interface EpochSeq {
	epoch: number;
	seq: number;
}

/** formatEpoch writes an epoch as 8 hex digits. */
export function formatEpoch(epoch: number): string {
	return epoch.toString(16).padStart(8, "0");
}

/** formatPosition writes EPOCH:SEQ. */
export function formatPosition(epoch: number, seq: number): string {
	return `${formatEpoch(epoch)}:${seq}`;
}

/** parseEpoch reads hex digits; null: it is no epoch. */
export function parseEpoch(text: string): number | null {
	return /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : null;
}

/** parsePosition reads EPOCH:SEQ; null: it is no position. */
export function parsePosition(text: string): EpochSeq | null {
	const [, head = "", tail = ""] = /^([^:]*):([0-9]{1,16})$/.exec(text) ?? [];
	const epoch = parseEpoch(head);
	const seq = Number(tail);
	return epoch === null || seq > MAX_INT ? null : { epoch, seq };
}
