import { LastMinute } from "./minute";

/** Meter says what the last minute was like, from counts that only grow while a stream lasts. */
export class Meter {
	private readonly bytes = new LastMinute();
	private readonly delivered = new LastMinute();
	private readonly lost = new LastMinute();
	private last = { delivered: 0, lost: 0 };

	received(now: number, bytes: number): void {
		this.bytes.add(now, bytes);
	}

	/** measure takes the streams' counts as they are. A new epoch begins them anew, which is no negative minute. */
	measure(now: number, counts: { delivered: number; lost: number }): void {
		const base = counts.delivered < this.last.delivered ? { delivered: 0, lost: 0 } : this.last;
		this.delivered.add(now, counts.delivered - base.delivered);
		// A hole that fills late is taken back.
		this.lost.add(now, counts.lost - base.lost);
		this.last = counts;
	}

	/** lossPercent is null while nothing came. */
	lossPercent(now: number): number | null {
		const lost = Math.max(0, this.lost.sum(now));
		const all = lost + this.delivered.sum(now);
		return all === 0 ? null : (100 * lost) / all;
	}

	bytesPerSample(now: number): number | null {
		const samples = this.delivered.sum(now);
		return samples === 0 ? null : this.bytes.sum(now) / samples;
	}
}
