import { type Batch, lastOf, search, sizeOf } from "./batch";
import { Budget } from "./budget";

/** A ring's own bounds (section 5.1), in ms and bytes: what a viewer can come back to after a short absence. */
const RING_AGE = 60_000;
const RING_BYTES = 1024 * 1024;

interface Held {
	batch: Batch;
	at: number; // when it was pushed
}

/**
 * Ring holds the newest batches of one Event stream and overwrites its oldest,
 * whoever has acknowledged them: a slow viewer gets a gap, it never blocks the
 * producer.
 */
export class Ring {
	/** head is the sequence number pushed last; 0: none yet. */
	head = 0;
	private held: Held[] = []; // held[first …], in order of seq
	private first = 0;
	private bytes = 0;

	constructor(
		readonly epoch: number,
		private readonly budget = new Budget(),
	) {
		budget.join(this);
	}

	/** oldest is the first sequence number still held; head + 1 if none is. */
	oldest(): number {
		return this.held[this.first]?.batch.seq ?? this.head + 1;
	}

	/** since is when the oldest batch held was pushed; Infinity if none is. */
	since(): number {
		return this.held[this.first]?.at ?? Infinity;
	}

	/** push adds the newest batch, made now; its seq is to be head + 1. A batch that is not beyond the head is ignored. */
	push(now: number, batch: Batch): void {
		if (batch.count < 1 || batch.seq <= this.head) return;
		this.held.push({ batch, at: now });
		this.count(sizeOf(batch.body));
		this.head = lastOf(batch);
		while (this.bytes > RING_BYTES || now - this.since() > RING_AGE) this.drop();
		this.budget.enforce();
	}

	/** drop overwrites the oldest batch. */
	drop(): void {
		const oldest = this.held[this.first];
		if (oldest === undefined) return;
		this.count(-sizeOf(oldest.batch.body));
		this.first++;
		if (this.first <= this.held.length / 2) return;
		this.held = this.held.slice(this.first);
		this.first = 0;
	}

	/** from is the first batch held that ends at or beyond seq. It begins beyond seq if what was in between is gone. */
	from(seq: number): Batch | null {
		const { first, held } = this;
		const at = (i: number) => held[first + i]?.batch;
		const i = search(held.length - first, (n) => lastOf(at(n) ?? { seq: 0, count: 0 }) >= seq);
		return at(i) ?? null;
	}

	private count(size: number): void {
		this.bytes += size;
		this.budget.used += size;
	}
}
