/** By how much the next packet is later than the longest of the last times between two, when that is told, in ms. */
const OVERDUE_AFTER = 8;
/** How many times between packets are remembered: behind a repair one is short. */
const OVERDUE_GAPS = 8;
/** The longest time between packets that counts as regular, in ms. */
const OVERDUE_MOST = 100;
/** For how many packets a loss is remembered. Where there was none, what does not come was not sent. */
const OVERDUE_LOST = 128;

/** Rhythm is when packets come. */
export class Rhythm {
	/** told: that the next one is overdue. */
	told = false;
	private readonly gaps = new Float64Array(OVERDUE_GAPS); // between two that came one after the other, in ms
	private count = 0; // of these, ever
	private hole = 0; // the newest packet that showed a loss; 0: none did

	/** came notes that a packet came, as the newest, and how long after the one before. */
	came(number: number, before: number, gap: number): void {
		this.told = false;
		if (before === 0) return;
		if (number > before + 1) this.hole = number;
		else this.gaps[this.count++ % OVERDUE_GAPS] = gap;
	}

	/** overdue is how long after the newest packet the next one is; Infinity: nothing says when it is to come, or it was told. */
	overdue(newest: number): number {
		if (this.told || this.count < OVERDUE_GAPS || this.hole === 0 || newest - this.hole >= OVERDUE_LOST)
			return Infinity;
		const longest = Math.max(...this.gaps);
		return longest > OVERDUE_MOST ? Infinity : longest + OVERDUE_AFTER;
	}
}
