import type { Gap, Range } from "../wire";

/**
 * MAX_GAPS bounds the gaps known and not reached, of one stream. An honest
 * sender has one per hole in flight; those beyond the bound come again. The one
 * that the position stands before is taken all the same: it is passed at once.
 */
const MAX_GAPS = 256;

/**
 * GapList holds gaps that lie, at least in part, beyond the position: in order,
 * without overlap. Only the last can be without end (to 0).
 */
export class GapList {
	private gaps: Gap[] = [];

	empty(): boolean {
		return this.gaps.length === 0;
	}

	clear(): void {
		this.gaps = [];
	}

	/** add takes what of g is not known yet. */
	add(g: Gap, position: number): void {
		const from = Math.max(g.from, position + 1);
		if (this.gaps.length >= MAX_GAPS && from > position + 1) return;
		this.gaps.push(...unknown(this.gaps, { ...g, from }));
		this.gaps.sort((a, b) => a.from - b.from);
	}

	/** at is the gap that holds the sample behind the position; null: none does. Gaps that lie before it are forgotten. */
	at(position: number): Gap | null {
		while (ends(this.gaps[0], position)) this.gaps.shift();
		const [first] = this.gaps;
		return first === undefined || first.from > position + 1 ? null : first;
	}

	ranges(): Range[] {
		return this.gaps.filter((g) => g.to !== 0).map(({ from, to }) => ({ from, to }));
	}
}

/** unknown are the parts of g that no known gap, in order, covers. */
function unknown(known: readonly Gap[], g: Gap): Gap[] {
	const parts: Gap[] = [];
	let from = g.from;
	for (const k of known) {
		if (from < k.from) parts.push({ ...g, from, to: lesser(g.to, k.from - 1) });
		if (k.to === 0 || (g.to !== 0 && g.to <= k.to)) return parts;
		from = Math.max(from, k.to + 1);
	}
	parts.push({ ...g, from });
	return parts;
}

/** ends reports whether a gap ends at or before the position. */
function ends(g: Gap | undefined, position: number): boolean {
	return g !== undefined && g.to !== 0 && g.to <= position;
}

/** lesser is the smaller end, where 0 stands for no end. */
function lesser(to: number, limit: number): number {
	return to === 0 ? limit : Math.min(to, limit);
}

/** mergeRanges joins ranges into a list that ascends without touching. */
export function mergeRanges(ranges: Range[]): Range[] {
	const merged: Range[] = [];
	for (const r of ranges.sort((a, b) => a.from - b.from)) {
		const before = merged.at(-1);
		if (before !== undefined && r.from <= before.to + 1) before.to = Math.max(before.to, r.to);
		else merged.push({ ...r });
	}
	return merged;
}
