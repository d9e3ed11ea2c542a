import { MAX_PACKET } from "../wire";

/** An answer should take about so long to come, in ms: what is newer waits behind it. */
const WORTH = 250;
/** An answer that came faster than this, in ms, says nothing of how fast the network is. */
const AT_ONCE = 20;
/** Telepath-Max has bounds, in bytes; the first answer is no more than what a slow network brings in two seconds. */
const LEAST = 1024;
const FIRST = 16 * 1024;

/**
 * Appetite is how large an answer may be (Telepath-Max): on a slow network
 * many small ones, so that a fresh sample does not wait behind 64 KiB of older ones.
 */
export class Appetite {
	most = FIRST;
	private failures = 0; // in a row

	/** failed: an answer did not come through. Once that is the network's; when it happens again, a shorter one may. */
	failed(): void {
		if (++this.failures > 1) this.most = Math.max(LEAST, this.most >> 1);
	}

	/** ate notes how long the body of an answer took to come. */
	ate(bytes: number, ms: number): void {
		this.failures = 0;
		const worth = ms < AT_ONCE ? MAX_PACKET : (bytes / ms) * WORTH;
		this.most = Math.round(Math.max(LEAST, Math.min(MAX_PACKET, 2 * this.most, worth)));
	}
}
