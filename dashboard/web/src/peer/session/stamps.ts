import type { Header } from "../wire";

/**
 * By how much a sample's time is off when the clock was set that it was taken from, in µs:
 * below it, the next measurement is soon enough.
 */
const CLOCK_SET = 100_000;

/**
 * Stamps watches the times of a Live stream's samples for a sign that the
 * device's clock was set: they go back, or run ahead of what it can show.
 * A measurement sees that as well, but later (section 5.2).
 */
export class Stamps {
	private epoch = 0;
	private last = 0;
	private t = 0;
	private ahead = false;

	/**
	 * turned takes the time t of a batch's last sample, µs, and by how much it is
	 * ahead of the device's clock as it was measured, the error taken off.
	 */
	turned({ epoch, seq, count }: Pick<Header, "epoch" | "seq" | "count">, t: number, ahead: number): boolean {
		const last = seq + count - 1;
		if (epoch === this.epoch && last <= this.last) return false; // it comes late, and tells how it was
		const { epoch: before, t: tBefore, ahead: aheadBefore } = this;
		this.epoch = epoch;
		this.last = last;
		this.t = t;
		this.ahead = ahead > CLOCK_SET;
		if (epoch !== before) return this.ahead;
		return t < tBefore - CLOCK_SET || (this.ahead && !aheadBefore);
	}
}
