import { describe, expect, test } from "vitest";
import { Attempts } from "./attempts";

function attempts(): Attempts {
	let last = 0;
	return new Attempts(() => ++last);
}

describe("Attempts", () => {
	test("one at a time, with rising numbers", () => {
		const a = attempts();
		expect(a.start(0)).toBe(1);
		expect(a.start(0)).toBe(0);
		a.failed(100, 1, "no way");
		expect(a.start(100)).toBe(0);
		expect(a.start(1100)).toBe(2);
	});

	test("failures in a row pause 1, 2, 4, 8, then 15 s", () => {
		const a = attempts();
		const pauses = [];
		for (let now = 0, i = 0; i < 6; i++) {
			a.failed(now, a.start(now), "no way");
			pauses.push(a.nextAt() - now);
			now = a.nextAt();
		}
		expect(pauses).toEqual([1000, 2000, 4000, 8000, 15000, 15000]);
	});

	test("an attempt without channels after 10 s has expired", () => {
		const a = attempts();
		const n = a.start(0);
		expect(a.wake()).toBe(10_000);
		expect(a.expired(9_999)).toBe(0);
		expect(a.expired(10_000)).toBe(n);
		a.opened(n);
		expect(a.expired(20_000)).toBe(0);
		expect(a.wake()).toBe(Infinity);
	});

	test("a successor is made beside what stands, and ends it a second after it is proven", () => {
		const a = attempts();
		a.opened(a.start(0));
		a.proved(50, 1);
		expect([a.replacedAt(), a.replaced(5_000)]).toEqual([Infinity, []]);
		a.replace();
		const second = a.start(5_000);
		expect(second).toBe(2);
		a.replace(); // said again while it is made: that is the successor already
		a.opened(second);
		expect(a.start(5_100)).toBe(0);
		a.proved(5_200, second);
		a.proved(5_900, second); // that it answers again puts nothing off
		expect([a.replacedAt(), a.replaced(6_199)]).toEqual([6_200, []]);
		expect(a.replaced(6_200)).toEqual([1]);
		expect(a.numbers()).toEqual([2]);
	});

	test("of three one gives way to the newest: the oldest that is not proven, or the oldest", () => {
		const a = attempts();
		a.opened(a.start(0));
		a.proved(50, 1);
		a.replace();
		a.opened(a.start(100));
		a.proved(150, 2);
		a.replace(); // while the first one is kept beside its successor
		expect([a.start(200), a.excess()]).toEqual([3, 1]);
		a.dropped(1);
		a.opened(3);
		a.replace();
		expect([a.start(300), a.excess()]).toEqual([4, 3]);
	});

	test("a device that asks for a successor gets one, 5 s after the newest began at the earliest", () => {
		const a = attempts();
		a.opened(a.start(0));
		a.proved(0, 1);
		a.ask();
		expect(a.wake()).toBe(5_000);
		expect(a.start(4_999)).toBe(0);
		expect(a.start(5_000)).toBe(2);
		a.ask(); // said again while it is made: that is what was wanted
		a.opened(2);
		a.proved(0, 2);
		expect(a.wake()).toBe(Infinity);
		a.ask();
		a.replace(); // what the path itself is in need of does not wait
		expect(a.start(6_000)).toBe(3);
	});

	test("what had been proven is replaced at once, what only opened is put off", () => {
		const a = attempts();
		a.opened(a.start(0));
		a.proved(0, 1);
		a.failed(60_000, 1, "closed");
		expect(a.start(60_000)).toBe(2);
		a.opened(2);
		a.failed(61_000, 2, "closed");
		expect(a.start(61_000)).toBe(0);
		a.fresh(61_500);
		expect(a.start(61_500)).toBe(3);
	});
});
