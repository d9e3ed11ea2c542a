import {
	FormatError,
	MAX_PARITIES,
	nextFrame,
	type Parity,
	parseParity,
	parseSerial,
	Reader,
	type Receipt,
	type Serial,
	TYPE_PARITY,
	TYPE_SERIAL,
} from "../wire";
import { Mender } from "./mender";
import { Numbers } from "./numbers";
import { Rhythm } from "./rhythm";

/** The least time between two receipts, in ms: a packet may show many holes, and so may the next. */
const RECEIPT_SPACING = 5;

/**
 * In is the receiving end of one path's Live channel (section 7.5). It
 * tells the sender what came, when the sender wants to know, and makes what did
 * not come out of parities. Whether a sample was delivered before, Inbox knows.
 */
export class In {
	private readonly seen = new Numbers();
	private readonly mender = new Mender();
	private first = 0; // the lowest number that came first; 0: none
	private cameAt = 0; // when the newest came
	private due = false; // a receipt was asked for, or there is a hole to tell of
	private again = false; // a hole was told of once: what told of it may be lost
	private quick = false; // the newest wants holes to be told of
	private readonly rhythm = new Rhythm();
	private sentAt = -Infinity; // the last receipt

	/**
	 * receive takes a packet and appends to out what is to be read: its content, and
	 * those of others that could be made with it. A packet without number is passed
	 * on as it is; one that came before, not at all.
	 */
	receive(now: number, packet: Uint8Array, out: Uint8Array[]): void {
		const opened = openSerial(packet);
		if (opened === null) {
			out.push(packet);
			return;
		}
		const { serial, content } = opened;
		if (!this.note(now, serial)) return;
		if (!serial.kept) {
			out.push(content);
			return;
		}
		const { before, parities } = splitParities(content);
		out.push(before);
		this.mender.take(serial.number, before, parities, out);
	}

	/** receipt is the receipt that is due, which counts as sent; null: none is. It is to be asked after each receive, and at wake. */
	receipt(now: number): Receipt | null {
		const overdue = now >= this.wake();
		if ((!this.due && !overdue) || now < this.sentAt + RECEIPT_SPACING) return null;
		this.due = false;
		this.sentAt = now;
		if (overdue) this.rhythm.told = true;
		const held = Math.max(0, Math.floor((now - this.cameAt) * 1000));
		return { newest: this.seen.newest, held, runs: this.seen.runs(this.first) };
	}

	/** wake is when a packet is overdue that has not come by then. */
	wake(): number {
		if (!this.quick) return Infinity;
		return Math.max(this.cameAt + this.rhythm.overdue(this.seen.newest), this.sentAt + RECEIPT_SPACING);
	}

	/** note accounts for a number; false: it came before. */
	private note(now: number, { number, ask, quick }: Serial): boolean {
		const before = this.seen.newest;
		const fresh = this.seen.add(number);
		if (this.first === 0) this.first = number;
		if (number > before) {
			const hole = quick && before !== 0 && number > before + 1;
			if (hole || this.again) this.due = true;
			this.again = hole && !(this.rhythm.told && number === before + 2);
			this.rhythm.came(number, before, now - this.cameAt);
			this.cameAt = now;
			this.quick = quick;
		}
		if (ask) this.due = true;
		return fresh;
	}
}

/** openSerial opens a numbered packet; null: it is none. */
function openSerial(packet: Uint8Array): { serial: Serial; content: Uint8Array } | null {
	return readable(() => {
		const reader = new Reader(packet);
		const frame = nextFrame(reader);
		return frame.type === TYPE_SERIAL ? { serial: parseSerial(frame.body), content: reader.rest() } : null;
	});
}

/** splitParities takes the content of a packet from the Parity frames behind it. One that makes no sense is left out. */
function splitParities(content: Uint8Array): { before: Uint8Array; parities: Parity[] } {
	const reader = new Reader(content);
	const parities: Parity[] = [];
	let length: number | null = null; // of what is before the first
	while (reader.left() > 0 && parities.length < MAX_PARITIES) {
		const at = content.length - reader.left();
		const frame = readable(() => nextFrame(reader));
		if (frame?.type !== TYPE_PARITY) continue;
		length ??= at;
		const parity = readable(() => parseParity(frame.body));
		if (parity !== null) parities.push(parity);
	}
	return { before: content.subarray(0, length ?? content.length), parities };
}

function readable<T>(read: () => T): T | null {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		return null;
	}
}
