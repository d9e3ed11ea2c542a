/** Rank is what counts when two usable carriers are compared. */
export interface Rank {
	sound: boolean; // not in doubt
	height: number; // of the rung: a smaller one is better
	used: boolean; // so far
	born: number; // order of up
}

/**
 * better reports whether a is to be preferred to b. It is a strict total order
 * over carriers, whose births differ: what answers before what is in doubt; of
 * the latter what is used, which was heard last; then the better rung; within a
 * rung what is used, because changing gains nothing, and then the younger one,
 * which is the successor.
 */
export function better(a: Rank, b: Rank): boolean {
	if (a.sound !== b.sound) return a.sound;
	if (!a.sound && a.used !== b.used) return a.used;
	if (a.height !== b.height) return a.height < b.height;
	if (a.used !== b.used) return a.used;
	return a.born > b.born;
}
