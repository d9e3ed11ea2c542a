/** How long the least value counts, in ms: long enough to contain a sample that met no queue, short enough to follow a clock. */
const WINDOW = 2_000;

/** LeastOfLate is the least value of the last window to two windows. */
export class LeastOfLate {
	private now = Number.POSITIVE_INFINITY;
	private before = Number.POSITIVE_INFINITY;
	private since = Number.NaN; // when now began

	add(value: number, at: number): void {
		if (Number.isNaN(this.since)) {
			this.now = value;
			this.since = at;
		} else if (at - this.since >= WINDOW) {
			this.before = this.now;
			this.now = value;
			this.since = at;
		} else this.now = Math.min(this.now, value);
	}

	clear(): void {
		this.now = this.before = Number.POSITIVE_INFINITY;
		this.since = Number.NaN;
	}

	least(): number {
		return Math.min(this.now, this.before);
	}
}
