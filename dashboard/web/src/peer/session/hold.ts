import { type DropReason, type Header, last, type Range } from "../wire";
import { search, sizeOf } from "./batch";
import type { Early } from "./early";

/** Bounds of what came early in one stream (section 5.1): batches, and bytes with what each batch costs beside. */
const MAX_HELD = 1024;
const MAX_HELD_BYTES = 1024 * 1024;

export interface HeldBatch {
	header: Header;
	payload: Uint8Array; // a copy
}

export interface Added {
	extends: boolean; // it only lengthens what was held at the very end, so that no new hole is seen
	reason: DropReason | ""; // "limit" if it had to give way itself
	dropped: number; // samples that gave way
}

/** Hold keeps batches that came before their predecessors, in order of seq. */
export class Hold {
	private batches: HeldBatch[] = [];
	private bytes = 0;

	/** shared has the bytes in it, too. */
	constructor(private readonly shared: Early) {}

	empty(): boolean {
		return this.batches.length === 0;
	}

	/** first is the first sample held; null: none is. */
	first(): number | null {
		return this.batches[0]?.header.seq ?? null;
	}

	/** add keeps a copy. Without room the latest give way, which are sent again. */
	add(header: Header, payload: Uint8Array): Added {
		const i = search(this.batches.length, (n) => (this.batches[n]?.header.seq ?? Infinity) >= header.seq);
		if (this.covered(i, header)) return { extends: false, reason: "duplicate", dropped: 0 };
		const before = this.batches[i - 1];
		const atEnd = i === this.batches.length;
		const extended = atEnd && before !== undefined && last(before.header) + 1 >= header.seq;
		this.batches.splice(i, 0, { header, payload: payload.slice() });
		this.grow(sizeOf(payload));
		let dropped = 0;
		while (this.batches.length > MAX_HELD || this.bytes > MAX_HELD_BYTES || this.shared.full()) {
			dropped += this.dropLatest();
		}
		return { extends: extended, reason: i >= this.batches.length ? "limit" : "", dropped };
	}

	/** take removes and returns the first batch if it follows the position without a hole. Those before the position are forgotten. */
	take(position: number): HeldBatch | null {
		let gone = 0;
		let found: HeldBatch | null = null;
		for (const b of this.batches) {
			if (b.header.seq > position + 1 || found !== null) break;
			this.grow(-sizeOf(b.payload));
			gone++;
			if (last(b.header) > position) found = b;
		}
		if (gone > 0) this.batches.splice(0, gone);
		return found;
	}

	ranges(): Range[] {
		return this.batches.map(({ header }) => ({ from: header.seq, to: last(header) }));
	}

	private grow(size: number): void {
		this.bytes += size;
		this.shared.used += size;
	}

	/** covered reports whether all samples of the batch to be put at i are held. */
	private covered(i: number, header: Header): boolean {
		let missing = header.seq;
		for (let n = Math.max(0, i - 1); n < this.batches.length; n++) {
			const held = this.batches[n]?.header;
			if (held === undefined || held.seq > missing) break;
			missing = Math.max(missing, last(held) + 1);
		}
		return missing > last(header);
	}

	private dropLatest(): number {
		const latest = this.batches.pop();
		if (latest === undefined) return 0;
		this.grow(-sizeOf(latest.payload));
		return latest.header.count;
	}
}
