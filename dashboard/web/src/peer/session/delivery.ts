import type { Gap, Header } from "../wire";

/** Samples are something for the application: those of a batch that are new. */
export interface Samples {
	gap: null;
	header: Header;
	payload: Uint8Array; // of the whole batch; valid until the next call of the Inbox
	skip: number; // samples of the batch not to deliver, at its front
	take: number; // samples to deliver, behind them
	late: boolean; // Live: newer ones were delivered before
	newest: boolean; // holds the stream's newest sample so far
}

/** Missing declares that samples will never come; its gap's `to` is 0 where nobody knows how many. */
export interface Missing {
	gap: Gap;
}

/** Delivery is what an Inbox yields. Those of an Event stream are in order, gaps included. */
export type Delivery = Samples | Missing;
