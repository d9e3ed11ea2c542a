import { describe, expect, it } from "vitest";
import type { Part } from "../port";
import { Buckets } from "./buckets";
import { DeviceStore } from "./device";
import { info } from "./testing";

const DAY = 86_400_000;
/** The page's clock when a test begins: in November 2026. */
const START = 1_795_000_000_000;
const EPOCH = "0000000a";

/** Board is a device with a sample of one number and one text every 100 ms, and the page that shows it. */
class Board {
	readonly store = new DeviceStore();
	now = START;
	private made = 0;

	/** offset is the device's clock minus the page's. */
	constructor(public offset: number) {
		this.store.describe([info({}, "t", 1), info({ kind: "text" }, "log", 2)]);
	}

	stream(id = 1) {
		const stream = this.store.streams.get(id);
		if (!stream) throw new Error("not described");
		return stream;
	}

	/** make lets the device make samples that come at once. */
	make(n: number): void {
		for (let i = 0; i < n; i++) {
			this.now += 100;
			this.made++;
			this.give(this.made, this.now + this.offset);
		}
	}

	give(seq: number, time: number, change: Partial<Part> = {}): void {
		const of = { epoch: EPOCH, n: 1, seq: 0, t: 1, retainedMs: null, late: false, restored: false, ...change };
		const part = { ...of, stream: 1, v: 2, text: -1 };
		const parts = change.past ? [part] : [part, { ...of, stream: 2, v: -1, text: 0 }];
		this.store.samples({ type: "samples", parts, data: Float64Array.of(seq, time, seq), texts: ["x"] }, this.now);
	}

	measure(): number {
		return this.store.measured(this.offset, 5, this.now);
	}

	/** ages of the rows of the chart, in ms, of what came last at first. */
	ages(): number[] {
		const { ring } = this.stream();
		const ages = Array.from({ length: ring.count }, (_, row) =>
			Math.round(this.now - this.store.clock.toPage(ring.time(row))),
		);
		return ages.reverse();
	}

	/** drawn is how many samples a chart of the last minute shows. */
	drawn(): number {
		const end = this.store.clock.toDevice(this.now);
		const buckets = new Buckets(100, 600, 0);
		buckets.refresh(this.stream().ring, end - 60_000, end);
		return Array.from({ length: 601 }, (_, i) => buckets.index(end) - i).filter((k) => buckets.has(k)).length;
	}
}

const even = (n: number) => Array.from({ length: n }, (_, i) => i * 100);

describe("A device whose clock is wrong", () => {
	it.each([
		["in 1970", 5_000 - START],
		["a day ahead", DAY],
		["a day behind", -DAY],
	])("draws where its samples were made: %s", (_, offset) => {
		const board = new Board(offset);
		board.make(30);
		expect(board.ages()).toEqual(even(30)); // guessed
		board.measure();
		board.make(30);
		expect([board.ages(), board.drawn()]).toEqual([even(60), 60]);
		expect(board.stream().isStale(board.store.clock.toDevice(board.now))).toBe(false);
	});

	it.each([
		["from 1970 to now", 5_000 - START, 0],
		["a day ahead", 0, DAY],
		["a day back", 0, -DAY],
		["five seconds ahead", 0, 5_000],
		["five seconds back", 0, -5_000],
	])("goes on where it was when it is set: %s", (_, before, after) => {
		const board = new Board(before);
		board.measure();
		board.make(60);
		board.offset = after;
		board.make(20); // two seconds later it is known
		expect(board.measure()).toBe(after - before);
		board.make(10);
		expect([board.ages(), board.drawn()]).toEqual([even(90), 90]);
		const { log, latest } = board.stream(2);
		expect(log.lines.map(({ time }) => board.store.clock.toPage(time) - START)).toEqual(
			Array.from({ length: 90 }, (_, i) => (i + 1) * 100),
		);
		expect(board.store.clock.toPage(latest.time)).toBe(board.now);
	});

	it("moves what comes late from before it was set", () => {
		const board = new Board(0);
		board.measure();
		board.make(3);
		board.give(5, board.now + 200); // 4 is under way
		board.now += 200;
		board.offset = -DAY;
		board.give(6, board.now + 100 - DAY);
		board.now += 100;
		board.measure();
		board.give(4, board.now - 200, { late: true });
		expect(board.ages()).toEqual(even(6));
	});

	it("moves what nothing has come behind of", () => {
		const board = new Board(0);
		board.measure();
		board.make(3);
		board.offset = -DAY;
		board.measure();
		expect(board.ages()).toEqual(even(3));
		expect(board.store.clock.toPage(board.stream().latest.time)).toBe(board.now);
	});

	it("is no other because it is measured better, or this end's was set", () => {
		const board = new Board(0);
		board.store.measured(400, 500, board.now);
		expect(board.store.measured(0, 5, board.now)).toBe(0);
		board.make(3);
		board.store.measured(null, null, board.now);
		board.now += DAY; // so the device's is as far behind
		board.offset = -DAY;
		board.make(3);
		expect(board.measure()).toBe(0);
		expect(board.ages()).toEqual(even(6));
	});
});

describe("What a device kept from before its clock was set", () => {
	/** opened is the page of a device whose clock was set after the fourth of eight samples, a second ago: two live ones came. */
	function opened(before: number): Board {
		const board = new Board(0);
		for (const [seq, offset] of [
			[7, 0],
			[8, 0],
		] as const) {
			board.now += 100;
			board.give(seq, board.now + offset);
		}
		board.measure();
		for (let seq = 1; seq <= 6; seq++)
			board.give(seq, board.now - (8 - seq) * 100 + (seq <= 4 ? before : 0), { past: true, late: true });
		board.store.pastDone();
		board.store.fill(board.now, () => 0);
		return board;
	}

	it.each([
		["from 1970", 5_000 - START],
		["a day back", DAY],
	])("ends where what came next begins: %s", (_, before) => {
		const board = opened(before);
		expect(board.drawn()).toBe(7); // the fourth lies at the fifth's time: nobody knows how long it was between them
		expect(board.ages()).toEqual([0, 100, 200, 300, 300, 400, 500, 600]);
	});

	it("is there once, also when it comes again", () => {
		const board = opened(DAY);
		for (let seq = 1; seq <= 6; seq++)
			board.give(seq, board.now - (8 - seq) * 100 + (seq <= 4 ? DAY : 0), { past: true, late: true });
		board.store.pastDone();
		board.store.fill(board.now, () => 0);
		expect(board.ages()).toEqual([0, 100, 200, 300, 300, 400, 500, 600]);
	});
});
