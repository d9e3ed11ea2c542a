/**
 * MAX_FLIGHT is what a Conn may have unacknowledged, in bytes (section 5.1):
 * 2.5 MB/s at 100 ms round trip, and little enough to repeat on another path.
 */
export const MAX_FLIGHT = 256 * 1024;

/**
 * MAX_UNACKED is how many batches of one stream may be unacknowledged: as many
 * as a receiver holds when the first of them is missing.
 */
export const MAX_UNACKED = 1024;

/**
 * Flight is the budget for what one Conn has sent and not yet got
 * acknowledged; the Conn's Outboxes share it. When one gives room back, call
 * next of all of them.
 */
export class Flight {
	/** used is the number of bytes in flight, with 64 for each batch's own cost. */
	used = 0;

	constructor(private readonly limit = MAX_FLIGHT) {}

	/** fits reports whether size more bytes may fly. A batch larger than the whole budget flies alone. */
	fits(size: number): boolean {
		return this.used === 0 || this.used + size <= this.limit;
	}
}
