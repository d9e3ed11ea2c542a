import { expect, test } from "vitest";
import { Lift } from "./lift";

test("up after two seconds of carrying, once; and not while a better path carries", () => {
	const lift = new Lift(true, true);
	lift.moved(0, "ws");
	expect(lift.step(0, "ws", false)).toBeNull();
	expect(lift.step(60_000, "ws", true)).toBeNull();
	expect(lift.step(61_999, "ws", true)).toBeNull();
	expect(lift.step(62_000, "ws", true)).toBe("up");
	expect(lift.step(70_000, "ws", true)).toBeNull();
	expect(new Lift(false, false).step(99_000, "ws", true)).toBeNull();
});

test("an opening that came to nothing is repeated later and later, or at once on another network", () => {
	const lift = new Lift(true, true);
	lift.moved(0, "ws");
	lift.step(0, "ws", true);
	const waits: number[] = [];
	let now = 2_000;
	expect(lift.step(now, "ws", true)).toBe("up");
	for (let i = 0; i < 8; i++) {
		lift.failed(now);
		const failed = now;
		while (lift.step(now, "ws", true) === null) now += 1_000;
		waits.push((now - failed) / 1000);
	}
	expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
	lift.failed(now);
	lift.anew(now);
	expect(lift.step(now, "ws", true)).toBe("up");
});

test("over TCP it looks for UDP again; where UDP is not wanted it stays", () => {
	const lift = new Lift(true, true);
	lift.moved(0, "relay-tcp");
	lift.step(0, "relay-tcp", true);
	expect(lift.step(4_999, "relay-tcp", true)).toBeNull();
	expect(lift.step(5_000, "relay-tcp", true)).toBe("up");
	const tcp = new Lift(false, true);
	tcp.moved(0, "relay-tcp");
	tcp.step(0, "relay-tcp", true);
	expect(tcp.step(600_000, "relay-tcp", true)).toBeNull();
});

test("silence is told once, and what dies young is trusted later each time", () => {
	const lift = new Lift(true, true);
	const waits: number[] = [];
	let now = 0;
	for (let i = 0; i < 7; i++) {
		lift.moved(now, "relay-udp");
		now += 5_000;
		expect([lift.doubt(now, "relay-udp"), lift.doubt(now, "relay-udp")]).toEqual([true, false]);
		const fell = now;
		lift.moved(now, "ws");
		lift.step(now, "ws", true);
		while (lift.step(now, "ws", true) === null) now += 100;
		waits.push((now - fell - 2_000) / 1000);
	}
	expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
});

test("down again when better paths have carried for 30 s", () => {
	const lift = new Lift(true, true);
	lift.moved(0, "relay-udp");
	lift.step(0, "relay-udp", true);
	lift.step(1_000, "relay-udp", false);
	expect(lift.step(30_999, "relay-udp", false)).toBeNull();
	expect(lift.step(31_000, "relay-udp", false)).toBe("down");
	expect(lift.step(40_000, "relay-udp", false)).toBeNull();
});
