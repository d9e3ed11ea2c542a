import { MAX_LAG, type Parity } from "../wire";

/** How many parities wait for more to come. */
const MAX_PENDING = 16;

interface Kept {
	number: number; // 0: none
	bytes: Uint8Array;
}

/** Pending is a parity and the number of the packet that brought it. */
interface Pending extends Parity {
	number: number;
}

/**
 * Mender keeps the newest contents of packets, and makes of parities those
 * that did not come. It holds at most MAX_LAG + 1 contents and MAX_PENDING
 * parities, each within a packet's size.
 */
export class Mender {
	private readonly kept: Kept[] = Array.from({ length: MAX_LAG + 1 }, () => ({ number: 0, bytes: new Uint8Array() }));
	private pending: Pending[] = [];

	/** take keeps a packet's content and appends to out what can be made with it and its parities. */
	take(number: number, content: Uint8Array, parities: Parity[], out: Uint8Array[]): void {
		this.keep(number, content);
		for (const parity of parities) this.pending.push({ ...parity, number });
		this.pending.splice(0, this.pending.length - MAX_PENDING);
		for (let mended = true; mended; ) {
			mended = false;
			this.pending = this.pending.filter((p) => {
				const missing = this.missing(p);
				if (missing.length !== 1) return missing.length > 1;
				const made = this.mend(p, missing[0] ?? 0);
				if (made === null) return false;
				this.keep(missing[0] ?? 0, made);
				out.push(made);
				mended = true;
				return false;
			});
		}
	}

	/** keep keeps the bytes themselves: nobody changes a message that came. */
	private keep(number: number, bytes: Uint8Array): void {
		const kept = this.at(number);
		if (number <= kept.number) return;
		kept.number = number;
		kept.bytes = bytes;
	}

	private at(number: number): Kept {
		return this.kept[number % this.kept.length] as Kept; // all places are filled
	}

	/** missing are the packets covered that are not there, be it no more; a parity that reaches before the first is void. */
	private missing({ number, lags }: Pending): number[] {
		if (lags.some((lag) => lag >= number)) return [];
		return lags.map((lag) => number - lag).filter((n) => this.at(n).number !== n);
	}

	/** mend makes the one content that is missing; null: it cannot be. */
	private mend({ number, lags, length, bytes }: Pending, missing: number): Uint8Array | null {
		const made = bytes.slice();
		let left = length;
		for (const lag of lags) {
			if (number - lag === missing) continue;
			const content = this.at(number - lag).bytes;
			if (content.length > made.length) return null;
			left ^= content.length;
			for (let i = 0; i < content.length; i++) made[i] = (made[i] ?? 0) ^ (content[i] ?? 0);
		}
		return left > made.length || this.at(missing).number > missing ? null : made.subarray(0, left);
	}
}
