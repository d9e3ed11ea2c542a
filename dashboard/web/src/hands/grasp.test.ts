import { expect, test } from "vitest";
import { Grasp } from "./grasp";

const pointer = (pointerId: number) => ({ pointerId }) as PointerEvent;
const key = (code: string, metaKey = false) => ({ key: code, code, metaKey }) as KeyboardEvent;

test("only a pointer or a key that is down holds a slider", () => {
	const grasp = new Grasp();
	expect(grasp.holds).toBe(false);
	grasp.touch(pointer(3));
	expect([grasp.holds, grasp.isOf(pointer(3)), grasp.isOf(pointer(4))]).toEqual([true, true, false]);
	grasp.end();
	expect([grasp.holds, grasp.isOf(pointer(3))]).toEqual([false, false]);
	expect([grasp.press(key("ArrowUp")), grasp.holds]).toEqual([true, true]);
	grasp.end();
	expect(grasp.holds).toBe(false);
});

test("a key that may be let go unseen does not", () => {
	const grasp = new Grasp();
	grasp.press(key("ArrowUp"));
	expect([grasp.press(key("Meta")), grasp.holds]).toEqual([false, false]);
	expect([grasp.press(key("ArrowUp", true)), grasp.holds]).toEqual([false, false]);
});
