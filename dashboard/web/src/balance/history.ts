import type { Model, State } from "./cartpole";

/** How many forces are kept: more than fit into the longest horizon, one each 10 ms. */
const REMEMBERED = 128;
/** The longest step of the model, in ms. */
const LONGEST = 10;

/** History is what was sent of late, in a ring. */
export class History {
	private readonly at = new Float64Array(REMEMBERED);
	private readonly force = new Float64Array(REMEMBERED);
	private n = 0; // ever

	add(at: number, force: number): void {
		this.at[this.n % REMEMBERED] = at;
		this.force[this.n % REMEMBERED] = force;
		this.n++;
	}

	/** replay moves a state on from one own time to another, each force acting from when it was sent until the next one was. */
	replay(model: Model, s: State, start: number, to: number): void {
		let i = this.n;
		const oldest = Math.max(0, this.n - REMEMBERED);
		while (i > oldest && this.sentAt(i - 1) > start) i--;
		let force = i > oldest ? this.sent(i - 1) : 0; // before the oldest: none
		for (let from = start; from < to; i++) {
			const until = i < this.n ? Math.min(to, this.sentAt(i)) : to;
			glide(model, s, force, until - from);
			from = until;
			if (i < this.n) force = this.sent(i);
		}
	}

	private sentAt(i: number): number {
		return this.at[i % REMEMBERED] ?? 0;
	}

	private sent(i: number): number {
		return this.force[i % REMEMBERED] ?? 0;
	}
}

function glide(model: Model, s: State, force: number, ms: number): void {
	for (let left = ms; left > 0; left -= LONGEST) model.step(s, force, Math.min(left, LONGEST) / 1000);
}
