import { expect, test } from "vitest";
import { Opening } from "./opening";

test("open is repeated after 1, 2, 4, 8, 15, 15 s until it is accepted", () => {
	const o = new Opening();
	o.restart(0);
	const times = [];
	for (let i = 0, now = 0; i < 6; i++) {
		expect(o.due(now)).toBe(true);
		o.sent(now);
		times.push(o.wake() - now);
		now = o.wake();
	}
	expect(times).toEqual([1000, 2000, 4000, 8000, 15000, 15000]);
	o.accept();
	expect(o.wake()).toBe(Infinity);
});

test("unknown data asks again, at most once a second", () => {
	const o = new Opening();
	o.restart(0);
	o.sent(0);
	o.accept();
	o.again(400);
	expect(o.wake()).toBe(1000);
	o.sent(1000);
	expect(o.wake()).toBe(Infinity);
	o.again(5000);
	expect(o.due(5000)).toBe(true);
});

test("a refusal waits as its code says; without a link nothing is due", () => {
	const o = new Opening();
	o.restart(0);
	o.sent(0);
	o.refused(10, "slow", () => 0.5);
	expect(o.wake()).toBe(30_010);
	o.refused(10, "never", () => 0.5);
	expect(o.wake()).toBe(Infinity);
	o.restart(50);
	o.pause();
	expect(o.due(1e9)).toBe(false);
});
