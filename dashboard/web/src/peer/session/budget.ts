import type { Ring } from "./ring";

/** Bound of all rings of a device together, in bytes (section 5.1): what a small board can spare. */
const MAX_BUDGET = 4 * 1024 * 1024;

/**
 * Budget bounds the rings of a device together. Whichever ring holds the
 * oldest batch gives way first: a chatty stream shortens the others' past, but
 * never below its own.
 */
export class Budget {
	/** used is the number of bytes held by all rings, with 64 for each batch's own cost. */
	used = 0;
	private readonly rings: Ring[] = [];

	constructor(private readonly limit = MAX_BUDGET) {}

	/** join bounds one more ring. */
	join(ring: Ring): void {
		this.rings.push(ring);
	}

	/** enforce drops the oldest batches of any ring until the rest fits. */
	enforce(): void {
		while (this.used > this.limit) {
			const oldest = this.oldest();
			if (oldest === null) return;
			oldest.drop();
		}
	}

	private oldest(): Ring | null {
		let oldest: Ring | null = null;
		for (const ring of this.rings) {
			if (ring.since() < (oldest?.since() ?? Infinity)) oldest = ring;
		}
		return oldest;
	}
}
