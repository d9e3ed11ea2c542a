import { MAX_RECEIPT, MAX_RECEIPT_RUNS, type Run } from "../wire";

/** Numbers is the set of the newest packet numbers that came, MAX_RECEIPT of them. */
export class Numbers {
	/** newest is the largest that came; 0: none. */
	newest = 0;
	private readonly came = new Uint8Array(MAX_RECEIPT); // by number modulo MAX_RECEIPT

	/** add puts n into the set; false: it is there, or too old to say. */
	add(n: number): boolean {
		if (n - this.newest >= MAX_RECEIPT) {
			this.came.fill(0);
			this.newest = n - 1;
		}
		while (this.newest < n) this.came[++this.newest % MAX_RECEIPT] = 0;
		if (this.newest - n >= MAX_RECEIPT || this.has(n)) return false;
		this.came[n % MAX_RECEIPT] = 1;
		return true;
	}

	/** runs lists what came and what did not, from newest down to first. */
	runs(first: number): Run[] {
		const from = Math.max(first, this.newest - MAX_RECEIPT + 1, 1);
		const runs: Run[] = [];
		for (let n = this.newest; n >= from && runs.length < MAX_RECEIPT_RUNS; ) {
			const run = { came: 0, missed: 0 };
			for (; n >= from && this.has(n); n--) run.came++;
			for (; n >= from && !this.has(n); n--) run.missed++;
			runs.push(run);
		}
		return runs;
	}

	private has(n: number): boolean {
		return this.came[n % MAX_RECEIPT] === 1;
	}
}
