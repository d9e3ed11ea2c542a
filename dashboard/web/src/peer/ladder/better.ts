/** Rank is what counts when two usable carriers are compared. */
export interface Rank {
	sound: boolean; // not in doubt
	height: number; // of the rung: a smaller one is better
	chosen: boolean;
	born: number; // order of up
}

/**
 * better reports whether a is to be preferred to b. It is a strict total order
 * over carriers, whose births differ: what answers before what is in doubt;
 * then the better rung; within a rung the chosen one, because changing gains
 * nothing, and then the younger one, which is the successor.
 */
export function better(a: Rank, b: Rank): boolean {
	if (a.sound !== b.sound) return a.sound;
	if (a.height !== b.height) return a.height < b.height;
	if (a.chosen !== b.chosen) return a.chosen;
	return a.born > b.born;
}
