import { type DropReason, type Header, last } from "../wire";
import type { Delivery, Samples } from "./delivery";
import { newStats, type Stats } from "./stats";
import { Window } from "./window";

/** Batches yield as many deliveries as they have runs of new samples; this many objects are kept for the next. */
const KEPT = 8;

/**
 * Fresh is the Inbox of class Live: at most once, on arrival, until the
 * deadline, from which the newest sample is exempt (section 5.2). In steady
 * state it allocates nothing: its deliveries are used again.
 */
export class Fresh {
	private readonly seen = new Window();
	private readonly stats = newStats();
	private readonly kept: Samples[] = [];
	private used = 0; // of kept, by this call
	private run: Samples | null = null; // the last delivery of this call
	private oldest = 0; // first sample accounted for; 0: none yet
	private known = 0; // samples that came, whatever became of them

	receive(h: Header, payload: Uint8Array, age: number, out: Delivery[]): DropReason | "" {
		const expired = h.deadline > 0 && age >= 0 && age > h.deadline;
		const before = this.seen.newest;
		const end = last(h);
		this.seen.advance(end);
		this.used = 0;
		this.run = null;
		let reason: DropReason = "duplicate";
		for (let seq = h.seq; seq <= end; seq++) {
			const exempt = seq === end && seq > before;
			const dropped = this.judge(seq, expired && !exempt);
			if (dropped === "") this.deliver(out, h, payload, seq, seq <= before);
			else if (dropped === "deadline") reason = dropped;
		}
		return this.run === null ? reason : "";
	}

	/** counts are the stats with what is missing now. */
	counts(): Readonly<Stats> {
		if (this.oldest !== 0) this.stats.lost = this.seen.newest - this.oldest + 1 - this.known;
		return this.stats;
	}

	/** judge accounts for a sample and says why it is not delivered, if it is not. */
	private judge(seq: number, expired: boolean): DropReason | "" {
		if (this.seen.tooOld(seq)) {
			this.stats.expired++;
			return "deadline";
		}
		if (!this.seen.add(seq)) {
			this.stats.duplicates++;
			return "duplicate";
		}
		this.known++;
		if (this.oldest === 0 || seq < this.oldest) this.oldest = seq;
		if (expired) this.stats.expired++;
		return expired ? "deadline" : "";
	}

	/** deliver appends a sample to this call's last delivery if it continues that one, otherwise to out. */
	private deliver(out: Delivery[], h: Header, payload: Uint8Array, seq: number, late: boolean): void {
		const i = seq - h.seq;
		this.stats.delivered++;
		if (late) this.stats.late++;
		let run = this.run;
		if (run === null || run.skip + run.take !== i || run.late !== late) {
			run = this.begin(h, payload, i, late);
			out.push(run);
		}
		run.take++;
		run.newest = !late && seq === last(h);
		this.run = run;
	}

	/** begin makes a delivery, of one that the last call used if there is one. */
	private begin(header: Header, payload: Uint8Array, skip: number, late: boolean): Samples {
		const kept = this.kept[this.used++];
		if (kept === undefined) {
			const made = { gap: null, header, payload, skip, take: 0, late, newest: false };
			if (this.kept.length < KEPT) this.kept.push(made);
			return made;
		}
		kept.header = header;
		kept.payload = payload;
		kept.skip = skip;
		kept.take = 0;
		kept.late = late;
		kept.newest = false;
		return kept;
	}
}
