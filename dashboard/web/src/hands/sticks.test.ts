import { expect, test } from "vitest";
import shared from "../../../term/drive/testdata/sticks.json";
import type { Axis } from "../port";
import { cleanSticks, deflections, inCircle, sticksFor } from "./sticks";

const axis = (id: number, name: string): Axis => ({
	id,
	name,
	label: "",
	unit: "",
	min: -1,
	max: 1,
	slew: 0,
	neutral: 0,
	stream: "",
});

test("forward is up and a turn is to the side, whatever their order; otherwise the first is up", () => {
	expect(shared.length).toBeGreaterThan(0);
	for (const { axes, ahead, side, left } of shared) {
		const id = (name: string) => (name === "" ? null : axes.indexOf(name) + 1);
		expect(sticksFor(axes.map((name, i) => axis(i + 1, name)))).toEqual({
			x: id(side),
			y: id(ahead),
			invertX: left,
			invertY: false,
		});
	}
	expect(sticksFor([axis(4, "a"), axis(5, "b")])).toMatchObject({ x: 5, y: 4 });
	expect(sticksFor([axis(4, "force")])).toMatchObject({ x: 4, y: null });
	expect(sticksFor([])).toMatchObject({ x: null, y: null });
});

test("what was stored for other axes is as guessed", () => {
	const axes = [axis(4, "a"), axis(5, "b")];
	const mine = { x: 4, y: null, invertX: true, invertY: false };
	expect(cleanSticks(mine, axes)).toEqual(mine);
	for (const odd of [null, 5, {}, { x: 9, y: 4 }]) expect(cleanSticks(odd, axes)).toEqual(sticksFor(axes));
});

test("a direction moves its axes, and of both on one the one that points further", () => {
	const at = { x: 0.5, y: -1 };
	expect([...deflections({ x: 1, y: 2, invertX: true, invertY: false }, at)]).toEqual([
		[1, -0.5],
		[2, -1],
	]);
	expect([...deflections({ x: 1, y: 1, invertX: false, invertY: false }, at)]).toEqual([[1, -1]]);
	expect([...deflections({ x: null, y: null, invertX: false, invertY: false }, at)]).toEqual([]);
});

test("a pointer beyond the edge is at the edge, and up is up", () => {
	expect(inCircle(50, 0, 100)).toEqual({ x: 0.5, y: 0 });
	expect(inCircle(0, -300, 100)).toEqual({ x: 0, y: 1 });
	expect(Math.hypot(inCircle(300, 400, 100).x, inCircle(300, 400, 100).y)).toBeCloseTo(1);
	expect(inCircle(0, 0, 0)).toEqual({ x: 0, y: 0 });
});
