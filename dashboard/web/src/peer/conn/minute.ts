const BUCKETS = 60;
const BUCKET_MS = 1000;

/** LastMinute sums what was added during the last 60 s, to the second; it never grows. */
export class LastMinute {
	private readonly sums = new Float64Array(BUCKETS);
	/** Number of the newest second that has a bucket. */
	private newest = 0;

	add(now: number, amount: number): void {
		this.turn(now);
		const i = this.newest % BUCKETS;
		this.sums[i] = (this.sums[i] ?? 0) + amount;
	}

	sum(now: number): number {
		this.turn(now);
		return this.sums.reduce((a, b) => a + b, 0);
	}

	private turn(now: number): void {
		const second = Math.floor(now / BUCKET_MS);
		if (second - this.newest >= BUCKETS) {
			this.sums.fill(0);
			this.newest = second;
		}
		while (this.newest < second) {
			this.newest++;
			this.sums[this.newest % BUCKETS] = 0;
		}
	}
}
