import type { Machine } from "../../port";

/**
 * kept is a machine as it was told anew, with those of its methods and axes
 * that are as before being the same objects: it is told with each change of
 * what moves, and a form that is being filled in, or a slider under a hand,
 * belongs to a method or an axis, not to a message.
 */
export function kept(before: Machine | null, now: Machine | null): Machine | null {
	if (before === null || now === null) return now;
	return { ...now, methods: same(before.methods, now.methods), axes: same(before.axes, now.axes) };
}

function same<T extends { name: string }>(before: T[], now: T[]): T[] {
	const all = now.map((one) => {
		const known = before.find(({ name }) => name === one.name);
		return known !== undefined && JSON.stringify(known) === JSON.stringify(one) ? known : one;
	});
	return all.length === before.length && all.every((one, i) => one === before[i]) ? before : all;
}
