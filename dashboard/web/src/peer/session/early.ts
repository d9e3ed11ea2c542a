/**
 * Bound of what a Conn's Inboxes hold together, in bytes (section 5.1): what a page can spare. An honest device sends no
 * more than that to be held.
 */
const MAX_EARLY = 8 * 1024 * 1024;

/**
 * Early bounds what all Inboxes of a Conn hold of what came early. The stream
 * that would go beyond gives way: what it lacks next is delivered all the same,
 * without being held. Inboxes of another epoch need another one: nothing is
 * given back by an Inbox that is dropped.
 */
export class Early {
	/** used is the number of bytes held, with 64 for each batch's own cost. */
	used = 0;

	constructor(private readonly limit = MAX_EARLY) {}

	full(): boolean {
		return this.used > this.limit;
	}
}
