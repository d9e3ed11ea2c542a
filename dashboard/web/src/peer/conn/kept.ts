import { type Header, last } from "../wire";

/**
 * Kept is what is known of one stream's retained values. They come again with
 * each new link, and the live sample that they are a copy of may follow: each
 * is shown once, and never after a newer one.
 */
export class Kept {
	private epoch = 0;
	private from = 0;
	private to = 0;
	/** Newest sample that came in the stream's own order. */
	private passedEpoch = 0;
	private passedTo = 0;

	/** keep notes a retained batch; false: it or a newer one was shown before. */
	keep(header: Header): boolean {
		const to = last(header);
		if (header.epoch === this.epoch && to <= this.to) return false;
		if (header.epoch === this.passedEpoch && to <= this.passedTo) return false;
		this.epoch = header.epoch;
		this.from = header.seq;
		this.to = to;
		return true;
	}

	/** covers reports whether a live batch was shown as the retained value. Events are delivered in order all the same. */
	covers(header: Header): boolean {
		if (header.class === "event" || header.epoch !== this.epoch) return false;
		return header.seq >= this.from && last(header) <= this.to;
	}

	/** passed notes a batch that came in the stream's own order. */
	passed(header: Header): void {
		const to = last(header);
		this.passedTo = header.epoch === this.passedEpoch ? Math.max(this.passedTo, to) : to;
		this.passedEpoch = header.epoch;
	}
}
