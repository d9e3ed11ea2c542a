import { beforeEach, describe, expect, it } from "vitest";
import { TestEnv } from "../testing";
import type { Header } from "../wire";
import { DeviceTime } from "./device-time";

const DAY = 86_400_000;
const WAY = 20;

let env: TestEnv;
let probes: number[]; // when each was sent, µs
let time: DeviceTime;
let offset: number; // of the device's clock, ms
let seq: number;
let stamp: number; // of the sample that is on its way, µs

beforeEach(() => {
	env = new TestEnv();
	probes = [];
	offset = 0;
	seq = 0;
	time = new DeviceTime({ env, newestTime: () => stamp, measure: () => probes.push(env.wall()) });
	exchange(env.wall());
});

/** exchange has the device echo a probe of that time, sent two ways ago. */
function exchange(t1: number): void {
	env.advance(2 * WAY);
	const t2 = t1 + (WAY + offset) * 1000;
	time.echoed({ id: 1, heard: true, full: false, t1, t2, t3: t2 });
}

/** comes is the age of a sample that was made a way ago, in ms. */
function comes(): number {
	env.advance(10);
	seq++;
	stamp = env.wall() + (offset - WAY) * 1000;
	const header: Header = {
		class: "live",
		stream: 1,
		epoch: 7,
		seq,
		count: 1,
		deadline: 250,
		key: 0,
		will: false,
	};
	return time.age(header, new Uint8Array());
}

describe("A device's clock", () => {
	it.each([DAY, -DAY, 5_000, -5_000, -1_699_999_000_000])("that is set by %i ms makes no sample old", (step) => {
		expect(comes()).toBe(0); // at least, for the error is a way
		offset += step;
		expect([comes(), comes(), probes.length]).toEqual([-1, -1, 1]);
		exchange(probes[0] ?? 0);
		expect(comes()).toBe(0);
		const known = time.offset();
		expect(Math.abs((known?.offset ?? 0) - step * 1000)).toBeLessThanOrEqual(known?.error ?? 0);
	});

	it("is void where this end's was set, and measured at once", () => {
		time.rebased();
		expect([time.offset(), probes.length]).toEqual([null, 1]);
		expect(comes()).toBe(-1);
	});

	it("does not hide that a sample is old", () => {
		comes();
		env.advance(10_000); // as where a path was blocked
		stamp = env.wall() - 10_000_000;
		const header: Header = { class: "live", stream: 1, epoch: 7, seq: 2, count: 1, deadline: 250, key: 0, will: false };
		expect(time.age(header, new Uint8Array())).toBeGreaterThan(9_900);
		expect(probes).toEqual([]);
	});
});
