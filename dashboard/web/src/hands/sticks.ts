import type { Axis } from "../port";

/** Sticks say which axes a stick, the keys and a pad move, by their numbers; null: none. */
export interface Sticks {
	x: number | null; // left and right
	y: number | null; // up and down
	invertX: boolean;
	invertY: boolean;
}

const FORWARD = /speed|drive|throttle|forward|linear|velocity/i;
const TURN = /turn|steer|yaw|angular|rotat/i;
/** By convention a turn to the left is positive (ISO 8855), a steering wheel's is not. */
const LEFT_POSITIVE = /turn|yaw|angular|rotat/i;

/** sticksFor guesses by the names of the axes: forward is up, a turn is to the side. */
export function sticksFor(axes: readonly Axis[]): Sticks {
	const first = (of: RegExp) => axes.find(({ name }) => of.test(name));
	const turn = first(TURN);
	const forward = axes.find((axis) => axis !== turn && FORWARD.test(axis.name));
	if (turn !== undefined || forward !== undefined) {
		const invertX = turn !== undefined && LEFT_POSITIVE.test(turn.name);
		return { x: turn?.id ?? null, y: forward?.id ?? null, invertX, invertY: false };
	}
	const [one, two] = axes;
	if (two === undefined) return { x: one?.id ?? null, y: null, invertX: false, invertY: false };
	return { x: two.id, y: one?.id ?? null, invertX: false, invertY: false };
}

/** cleanSticks reads what was stored for a device; what does not fit its axes is as guessed. */
export function cleanSticks(value: unknown, axes: readonly Axis[]): Sticks {
	const guessed = sticksFor(axes);
	if (typeof value !== "object" || value === null) return guessed;
	const stored: Partial<Record<keyof Sticks, unknown>> = value;
	const known = (id: unknown) => id === null || axes.some((axis) => axis.id === id);
	if (!known(stored.x) || !known(stored.y)) return guessed;
	return {
		x: stored.x as number | null,
		y: stored.y as number | null,
		invertX: stored.invertX === true,
		invertY: stored.invertY === true,
	};
}

/** deflections are those of a direction, by axis. Both on one axis: the one that points further. */
export function deflections({ x, y, invertX, invertY }: Sticks, at: { x: number; y: number }): Map<number, number> {
	const all = new Map<number, number>();
	const add = (axis: number | null, d: number) => {
		if (axis !== null && Math.abs(d) >= Math.abs(all.get(axis) ?? 0)) all.set(axis, d);
	};
	add(x, invertX ? 0 - at.x : at.x);
	add(y, invertY ? 0 - at.y : at.y);
	return all;
}

/** inCircle is where a pointer points that was put down in a stick of this radius: never further than the edge. */
export function inCircle(dx: number, dy: number, radius: number): { x: number; y: number } {
	const length = Math.hypot(dx, dy);
	const by = Math.max(length, radius);
	return by === 0 ? { x: 0, y: 0 } : { x: dx / by, y: 0 - dy / by };
}
