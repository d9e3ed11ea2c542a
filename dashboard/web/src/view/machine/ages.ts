/** How many control messages are remembered: more than fit into the strip that shows them. */
const REMEMBERED = 1_024;

/** Ages remembers when each control message was sent, and how old what it answers will be when it acts, in ms. */
export class Ages {
	private readonly times = new Float64Array(REMEMBERED);
	private readonly ages = new Float64Array(REMEMBERED);
	private n = 0; // ever

	add(at: number, age: number): void {
		this.times[this.n % REMEMBERED] = at;
		this.ages[this.n % REMEMBERED] = age;
		this.n++;
	}

	/** sent is how many there were, ever. */
	get sent(): number {
		return this.n;
	}

	/** last is the newest one's age; NaN: there is none. */
	last(): number {
		return this.n === 0 ? Number.NaN : (this.ages[(this.n - 1) % REMEMBERED] ?? Number.NaN);
	}

	/** since calls for each that was sent after a time, newest first. */
	since(time: number, each: (at: number, age: number) => void): void {
		for (let i = this.n - 1; i >= 0 && i >= this.n - REMEMBERED; i--) {
			const at = this.times[i % REMEMBERED] ?? 0;
			if (at < time) return;
			each(at, this.ages[i % REMEMBERED] ?? 0);
		}
	}
}
