import { expect, test } from "vitest";
import type { Stream } from "../signal";
import { GAP_REASONS, type Header, hop, MAX_STREAMS } from "../wire";
import { type Resume, Streams } from "./streams";
import { Tails } from "./tails";

const EPOCH = 0xa;

/** world makes the streams of one device, and a log of what they say. */
function world(resumes: Resume[] = []) {
	const log: string[] = [];
	const tails = new Tails();
	const streams = new Streams(
		{
			onBatch: ({ stream, header, skip, take }) => log.push(`${stream.name} ${header.seq + skip}+${take}`),
			onGap: (stream, epoch, from, to, reason) => log.push(`${stream.name} ${epoch} gap ${from}-${to} ${reason}`),
			onStart: (stream, epoch, after) => log.push(`${stream.name} ${epoch} after ${after}`),
			onFinal: (stream, epoch, seq) => log.push(`${stream.name} ${epoch} final ${seq}`),
			onDrop: (reason) => log.push(reason),
			onUnknown: () => undefined,
		},
		tails,
		resumes,
	);
	return { log, streams, tails };
}

const stream = (seq: number | null, epoch = EPOCH, id = 1, name = "log"): Stream => ({
	id,
	name,
	class: "event",
	deadlineMs: 0,
	meta: {},
	start: seq === null ? null : { epoch, seq },
});

function data(streams: Streams, seq: number, count = 1, id = 1): void {
	const header: Header = { class: "event", stream: id, epoch: EPOCH, seq, count, deadline: 0, key: 0, will: false };
	streams.data(header, new Uint8Array(count), { now: 0, hop: hop({}), ageMs: -1, path: 1 });
}

test("what is sealed is a gap of an Event stream, behind which it goes on", () => {
	const { log, streams } = world();
	describe(streams, stream(0), { ...stream(null, EPOCH, 2, "cpu"), class: "live" });
	data(streams, 1);
	const sealed = {
		class: "event",
		stream: 1,
		epoch: EPOCH,
		seq: 1,
		count: 3,
		deadline: 0,
		key: 9,
		will: false,
	} as const;
	const arrival = { now: 0, hop: hop({}), ageMs: -1, path: 1 };
	streams.data(sealed, new Uint8Array(3), arrival);
	streams.data({ ...sealed, stream: 2, class: "live" }, new Uint8Array(3), arrival);
	streams.data({ ...sealed, seq: 9 }, new Uint8Array(3), { ...arrival, hop: hop({ retained: true }) });
	data(streams, 4);
	const refused = `log 10 gap 2-3 ${GAP_REASONS.refused}`;
	expect(log).toEqual(["log 10 after 0", "log 1+1", "sealed", refused, "sealed", "sealed", "log 4+1"]);
	expect(streams.positions()).toEqual({ 1: "0000000a:4" });
});

function describe(streams: Streams, ...list: Stream[]): void {
	streams.describe(0, EPOCH, list);
	streams.begin(0);
}

const before = (change: Partial<Resume> = {}): Resume => ({
	id: 1,
	name: "log",
	epoch: EPOCH,
	seq: 7,
	final: null,
	...change,
});

test("an earlier life's positions are told until the device says where it begins", () => {
	const { log, streams } = world([before(), before({ id: 2, name: "alarm", seq: 3 })]);
	expect(streams.positions()).toEqual({ 1: "0000000a:7", 2: "0000000a:3" });
	describe(streams, stream(null), stream(null, EPOCH, 2, "alarm")); // the server's word: it knows no starts
	expect(streams.positions()).toEqual({ 1: "0000000a:7", 2: "0000000a:3" });
	describe(streams, stream(7));
	expect(log).toEqual(["log 10 after 7"]);
	data(streams, 6, 3);
	expect(log.at(-1)).toBe("log 8+1");
	expect(streams.positions()).toEqual({ 1: "0000000a:8", 2: "0000000a:3" });
});

test("what an earlier life has does not come again, and what lies behind it is declared", () => {
	const early = world([before()]);
	describe(early.streams, stream(5));
	data(early.streams, 6, 2);
	data(early.streams, 8);
	expect(early.log).toEqual(["log 10 after 7", "duplicate", "log 8+1"]);
	const late = world([before()]);
	describe(late.streams, stream(9));
	expect(late.log).toEqual(["log 10 gap 8-9 3", "log 10 after 9"]);
});

test("a device that began anew meanwhile leaves the gap that is left, under the stream's number of now", () => {
	const cases: [Partial<Resume>, string[]][] = [
		[{}, ["log 9 gap 8-null 2"]],
		[{ final: 12 }, ["log 9 gap 8-12 2"]],
		[{ final: 7 }, []],
	];
	for (const [change, gaps] of cases) {
		const { log, streams } = world([before({ id: 4, epoch: 9, ...change })]);
		describe(streams, stream(0));
		expect(log).toEqual([...gaps, "log 10 after 0"]);
		expect(streams.positions()).toEqual({ 1: "0000000a:0" });
	}
});

test("another device's earlier life is forgotten", () => {
	const { log, streams } = world([before()]);
	streams.forgetResumes();
	expect(streams.positions()).toEqual({});
	describe(streams, stream(2));
	expect(log).toEqual(["log 10 after 2"]);
});

test("a goodbye is told once it is heard", () => {
	const { log, streams } = world();
	describe(streams, stream(2));
	streams.bye(0, new Map([[1, { epoch: EPOCH, seq: 2 }]]));
	streams.settle(5_000);
	expect(log).toEqual(["log 10 after 2", "log 10 final 2"]);
});

const NEXT = 0xb;

/** restart has the device begin anew, after it was cut off at 3, with a spool. */
function restart() {
	const w = world();
	describe(w.streams, stream(0));
	data(w.streams, 1, 3);
	w.streams.keeps = true;
	w.log.length = 0;
	w.streams.describe(100, NEXT, [stream(0, NEXT)]);
	w.streams.begin(100);
	return w;
}

const COME = new Set(["log"]);

test("a new run waits for the rest of the one before, and goes on behind what came of it", () => {
	const { log, streams, tails } = restart();
	expect([log, tails.at("log")]).toEqual([[], { epoch: EPOCH, seq: 3 }]);
	const header: Header = { class: "event", stream: 1, epoch: NEXT, seq: 1, count: 1, deadline: 0, key: 0, will: false };
	streams.data(header, new Uint8Array(1), { now: 0, hop: hop({}), ageMs: -1, path: 1 });
	expect(log).toEqual([]); // it comes again
	tails.came(200, "log", { epoch: NEXT, seq: 5 });
	streams.settleTails(300, COME);
	expect(log).toEqual(["log 11 after 5"]);
});

test("a device that does not run again leaves a gap, and what came early is delivered", () => {
	const { log, streams } = world();
	describe(streams, stream(0));
	data(streams, 1, 3);
	data(streams, 5, 1);
	streams.keeps = true;
	streams.bye(0, new Map([[1, { epoch: EPOCH, seq: 5 }]]));
	streams.settle(599_000);
	expect(log).toHaveLength(3);
	streams.settle(600_000);
	expect(log.slice(3)).toEqual(["log 10 gap 4-4 2", "log 5+1"]);
});

test("what a goodbye overtook comes from the spool, when the device's program runs again", () => {
	const { log, streams, tails } = world();
	describe(streams, stream(0));
	data(streams, 1, 3);
	streams.keeps = true;
	streams.bye(0, new Map([[1, { epoch: EPOCH, seq: 5 }]]));
	streams.settle(60_000);
	streams.describe(70_000, NEXT, [stream(0, NEXT)]);
	streams.begin(70_000);
	expect([log.slice(2), tails.at("log")]).toEqual([["log 10 final 5"], { epoch: EPOCH, seq: 3 }]);
	streams.settleTails(70_000, COME);
	expect(log.slice(3)).toEqual(["log 10 gap 4-5 2", "log 11 after 0"]);
});

test("what of a run is not in the spool, or does not come in time, is a gap", () => {
	const { log, streams } = restart();
	streams.settleTails(300, COME);
	expect(log).toEqual(["log 10 gap 4-null 2", "log 11 after 0"]);
	const late = restart();
	expect(late.streams.settleTails(30_000)).toBe(false);
	expect(late.streams.settleTails(30_100)).toBe(true);
	expect(late.log).toEqual(["log 10 gap 4-null 2", "log 11 after 0"]);
});

test("a new run in which streams have other numbers begins as well", () => {
	const { log, streams } = world();
	describe(streams, stream(0), stream(0, EPOCH, 2, "alarm"));
	data(streams, 1, 3);
	streams.keeps = true;
	log.length = 0;
	streams.describe(100, NEXT, [{ ...stream(null, NEXT, 1, "cpu"), class: "live" }, stream(0, NEXT, 2)]);
	streams.begin(100);
	streams.settleTails(300, COME);
	expect(log).toEqual(["log 10 gap 4-null 2", "log 11 after 0"]);
});

test("nothing waits for the rest of a stream that is Live now", () => {
	const { log, streams, tails } = world();
	describe(streams, stream(0));
	data(streams, 1, 3);
	streams.keeps = true;
	log.length = 0;
	streams.describe(100, NEXT, [{ ...stream(null, NEXT), class: "live" }]);
	streams.begin(100);
	expect([log, tails.size]).toEqual([["log 10 gap 4-null 2"], 0]);
});

test("what an earlier life lacks of a run that is over comes from the spool, before the new run", () => {
	const { log, streams, tails } = world([before({ epoch: 9 })]);
	streams.keeps = true;
	describe(streams, stream(null)); // the server's word: nothing can be asked for yet
	expect([tails.size, streams.positions()]).toEqual([0, { 1: "00000009:7" }]);
	describe(streams, stream(0));
	expect([log, tails.at("log")]).toEqual([[], { epoch: 9, seq: 7 }]);
	expect(streams.positions()).toEqual({ 1: "00000009:7" }); // still a run that is over: the device begins at the first sample
	tails.came(100, "log", { epoch: EPOCH, seq: 4 });
	streams.settleTails(200, COME);
	expect(log).toEqual(["log 10 after 4"]);
});

test("an earlier life that saw its run whole waits for nothing", () => {
	const { log, streams, tails } = world([before({ epoch: 9, final: 7 })]);
	streams.keeps = true;
	describe(streams, stream(0));
	expect([log, tails.size]).toEqual([["log 10 after 0"], 0]);
});

/** outlast has the ring lose 4 to 8 of ten samples, with a spool: 9 and 10 come. */
function outlast() {
	const w = world();
	describe(w.streams, stream(0));
	data(w.streams, 1, 3);
	w.streams.keeps = true;
	w.log.length = 0;
	const ring = { stream: 1, epoch: EPOCH, from: 4, to: 8, reason: GAP_REASONS.ring };
	expect(w.streams.gap(100, ring)).toBe(true);
	data(w.streams, 9, 2);
	expect(w.streams.gap(200, ring)).toBe(true); // said again, and under way
	expect([w.log, w.tails.at("log")]).toEqual([[], { epoch: EPOCH, seq: 3 }]);
	const tail = (seq: number, count: number) => {
		const header: Header = { class: "event", stream: 1, epoch: EPOCH, seq, count, deadline: 0, key: 0, will: false };
		w.streams.tail(300, stream(0), header, new Uint8Array(count), 0);
	};
	return { ...w, ring, tail };
}

test("what outlasted the ring comes from the spool, before what came meanwhile", () => {
	const { log, streams, tail } = outlast();
	tail(3, 3);
	tail(6, 3);
	tail(9, 4); // of which two came live
	expect(log).toEqual(["log 4+2", "log 6+3", "log 9+2", "log 11+2"]);
	streams.settleTails(400, COME);
	data(streams, 13);
	expect(log.slice(4)).toEqual(["log 13+1"]);
});

test("what the spool has not either is a gap, when the device says so again", () => {
	const { log, streams, tail, ring } = outlast();
	streams.tailGap(300, stream(0), { ...ring, to: 5, reason: GAP_REASONS.spool });
	tail(6, 1);
	streams.settleTails(400, COME);
	expect(log).toEqual(["log 10 gap 4-5 5", "log 6+1"]);
	expect(streams.gap(500, ring)).toBe(true); // it got somewhere: the rest is sought once more
	streams.settleTails(600, COME);
	expect(streams.gap(700, ring)).toBe(false);
	expect(log.slice(2)).toEqual(["log 10 gap 7-8 1", "log 9+2"]);
});

test("a device that begins anew again and again, with other streams each time, has a bounded number of them wait", () => {
	const { log, streams, tails } = world();
	streams.keeps = true;
	const runs = 100;
	for (let run = 0; run < runs; run++) {
		const epoch = EPOCH + run;
		const list = Array.from({ length: MAX_STREAMS }, (_, i) => stream(0, epoch, 1 + i, `${run}/${i}`));
		tails.brings(run * 20_000); // it was asked anew
		streams.describe(run * 20_000, epoch, list);
		streams.begin(run * 20_000);
		streams.settleTails(run * 20_000 + 19_999);
		expect(tails.size).toBeLessThanOrEqual(2 * MAX_STREAMS);
	}
	const gaps = log.filter((line) => line.includes(" gap ")).length;
	expect(gaps + tails.size).toBe((runs - 1) * MAX_STREAMS);
});

test("a goodbye tells where one run ends, not the next one that the rest has come to", () => {
	const { log, streams, tails } = world();
	describe(streams, stream(0));
	data(streams, 1, 3);
	streams.keeps = true;
	streams.bye(0, new Map([[1, { epoch: EPOCH, seq: 5 }]]));
	log.length = 0;
	streams.describe(100, NEXT + 1, [stream(0, NEXT + 1)]);
	streams.begin(100);
	tails.came(200, "log", { epoch: NEXT, seq: 7 });
	streams.settleTails(300, COME);
	expect(log).toEqual(["log 11 gap 8-null 2", "log 12 after 0"]);
});
