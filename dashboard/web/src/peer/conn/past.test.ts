import { describe, expect, it } from "vitest";
import type { FromViewer, Stream } from "../signal";
import { appendFrame, appendHeader, type Header, HISTORY_STREAM, hop, TYPE_DATA, TYPE_SIGNAL, Writer } from "../wire";
import { Past } from "./past";
import { Tails } from "./tails";

const EPOCH = 0xb;
const OLDER = 0xa;

class World {
	readonly asked: Extract<FromViewer, { type: "history" }>[] = [];
	readonly came: string[] = [];
	readonly drops: string[] = [];
	done = 0;
	room = true;
	passed = 0; // this sample of each stream
	now = 10_000;
	readonly streams: Stream[] = ["temperature", "load"].map((name, i) => ({
		id: i + 1,
		name,
		class: "live",
		deadlineMs: 250,
		meta: {},
		start: null,
	}));
	readonly tails = new Tails();
	readonly past = new Past(60_000, () => 0.5, this.tails, {
		onTail: ({ stream, header }, skip) =>
			this.came.push(`tail ${stream.name} ${header.epoch.toString(16)}:${header.seq}+${skip}`),
		onGap: (stream, gap) => this.came.push(`gap ${stream.name} ${gap.epoch.toString(16)}:${gap.from}-${gap.to}`),
		hasPassed: (_, { epoch, seq }) => epoch === EPOCH && seq <= this.passed,
		onTailsDone: (names) => this.came.push(`done ${[...names]}`),
		onBatch: ({ stream, header }) => this.came.push(`${stream.name} ${header.epoch.toString(16)}:${header.seq}`),
		onDone: () => this.done++,
		room: () => this.room,
		onDrop: (reason) => this.drops.push(reason),
		ask: (message) => {
			if (message.type === "history") this.asked.push(message);
			return true;
		},
		streams: () => ({ epoch: EPOCH, streams: this.streams }),
	});

	constructor() {
		this.past.described(EPOCH, this.streams);
	}

	step(ms = 0): void {
		this.now += ms;
		this.past.step(this.now);
	}

	/** chunk is number seq of the transfer that was asked for last. */
	chunk(seq: number, ...frames: Uint8Array[]): void {
		const w = new Writer();
		for (const frame of frames) w.append(frame);
		const epoch = Number.parseInt(this.asked.at(-1)?.transfer ?? "0", 16);
		const header: Header = { ...header0, class: "history", stream: HISTORY_STREAM, epoch, seq, count: 1 };
		this.past.data(this.now, 1, header, w.finish());
	}
}

const header0 = { class: "live", stream: 1, epoch: EPOCH, seq: 1, count: 1, deadline: 0, key: 0, will: false } as const;

function batch(stream: number, epoch: number, seq: number): Uint8Array {
	const body = appendHeader(new Writer(), { ...header0, stream, epoch, seq }).finish();
	return appendFrame(new Writer(), TYPE_DATA, hop(), body).finish();
}

function say(message: object): Uint8Array {
	return appendFrame(new Writer(), TYPE_SIGNAL, hop(), new TextEncoder().encode(JSON.stringify(message))).finish();
}

describe("Past", () => {
	it("asks a device that keeps a spool, once, and tells streams of earlier runs by name", () => {
		const w = new World();
		w.past.want("load", null);
		w.past.accepted(false, EPOCH);
		w.step();
		expect(w.asked).toEqual([]);
		w.past.accepted(true, EPOCH);
		w.step();
		w.step(2_000);
		expect(w.asked).toEqual([{ type: "history", transfer: "80000000", streams: [2], positions: {}, since_ms: 60_000 }]);
		const then = { id: 1, name: "load", class: "live", meta: {} };
		w.chunk(2, batch(2, EPOCH, 1), say({ type: "history", transfer: "80000000", done: true }));
		w.chunk(1, say({ type: "describe", epoch: "0000000a", streams: [then] }), batch(1, OLDER, 7));
		expect(w.came).toEqual(["load a:7", "load b:1"]);
		expect(w.done).toBe(1);
		w.step(60_000);
		expect(w.asked.length).toBe(1);
	});

	it("goes on from where it got when it stands still, or the device was asked anew", () => {
		const w = new World();
		w.past.want("temperature", { epoch: OLDER, seq: 3 });
		w.past.accepted(true, EPOCH);
		w.step();
		expect(w.asked.at(-1)?.positions).toEqual({ 1: "0000000a:3" });
		w.chunk(1, batch(1, EPOCH, 5));
		w.step(4_900);
		expect(w.asked.length).toBe(1);
		w.step(200);
		expect(w.asked.at(-1)?.positions).toEqual({ 1: "0000000b:5" });
		w.past.accepted(true, EPOCH);
		w.step(1_000);
		expect(w.asked.length).toBe(3);
	});

	it("wants what an outage tore out, not what the air lost", () => {
		const w = new World();
		w.past.accepted(true, EPOCH);
		const live = (seq: number, ms: number) => {
			w.now += ms;
			w.past.live(w.now, "temperature", { ...header0, seq }, 1);
			w.step();
		};
		live(1, 0);
		live(2, 100);
		live(5, 200);
		expect(w.asked).toEqual([]);
		live(6, 5_000); // it was silent
		expect(w.asked).toEqual([]);
		live(300, 3_000);
		expect(w.asked.map((m) => m.positions)).toEqual([{ 1: "0000000b:6" }]);
	});

	it("wants what is missing behind what was under way when the outage began", () => {
		const w = new World();
		w.past.accepted(true, EPOCH);
		const live = (seq: number, ms: number, count = 1, take = count) => {
			w.now += ms;
			w.past.live(w.now, "temperature", { ...header0, seq, count }, take);
			w.step();
		};
		live(1, 0);
		live(2, 3_000); // it was silent
		live(3, 10);
		expect(w.asked).toEqual([]);
		live(200, 20);
		live(202, 20);
		expect(w.asked.map((m) => m.positions)).toEqual([{ 1: "0000000b:1" }]);
		w.chunk(1, say({ type: "history", transfer: "80000000", done: true }));
		live(203, 2_000, 3, 1); // the first two came too late
		expect(w.asked.map((m) => m.positions).slice(1)).toEqual([{ 1: "0000000b:202" }]);
		w.chunk(1, say({ type: "history", transfer: "80000000", done: true }));
		live(206, 2_000);
		live(207, 900);
		for (let seq = 208; seq < 213; seq++) live(seq, 900);
		live(300, 900);
		expect(w.asked.length).toBe(2);
	});

	it("asks a run that begins for nothing before its streams are described", () => {
		const w = new World();
		w.past.want("load", { epoch: OLDER, seq: 1 });
		w.past.described(OLDER, w.streams);
		w.past.accepted(true, EPOCH);
		w.step();
		expect([w.asked, w.past.wake(true)]).toEqual([[], Number.POSITIVE_INFINITY]);
		w.past.described(EPOCH, w.streams);
		w.step();
		expect(w.asked.map((m) => m.streams)).toEqual([[2]]);
	});

	it("asks for streams that are described when others were asked for already", () => {
		const w = new World();
		const [first, second] = w.streams;
		if (first === undefined || second === undefined) throw new Error("no streams");
		w.past.want("temperature", { epoch: OLDER, seq: 1 });
		w.past.want("load", { epoch: OLDER, seq: 1 });
		w.streams.length = 1;
		w.past.accepted(true, EPOCH);
		w.step();
		w.past.described(EPOCH, w.streams);
		w.chunk(1, say({ type: "history", transfer: "80000000", done: true }));
		w.step(2_000);
		w.streams.push(second);
		w.past.described(EPOCH, w.streams);
		w.step();
		w.chunk(1, say({ type: "history", transfer: "80000000", done: true }));
		w.past.described(EPOCH, w.streams);
		w.step(60_000);
		expect(w.asked.map((m) => m.streams)).toEqual([[1], [2]]);
	});

	it("has a stream wait while the transfer brings those of others", () => {
		const w = new World();
		const [first, second] = w.streams;
		if (first === undefined || second === undefined) throw new Error("no streams");
		w.tails.wait(w.now, first, { epoch: EPOCH, seq: 1 }, null);
		w.tails.wait(w.now, second, { epoch: EPOCH, seq: 1 }, null);
		w.past.accepted(true, EPOCH);
		w.step();
		for (let seq = 1; seq <= 60; seq++) {
			w.step(1_000);
			w.chunk(seq, batch(2, EPOCH, seq + 1));
			expect(w.tails.end(w.now)).toEqual([]);
		}
		for (let i = 0; i < 31; i++) w.step(1_000); // asked for again and again, and nothing comes
		expect(w.tails.end(w.now).map(({ stream }) => stream.name)).toEqual(["temperature", "load"]);
	});

	it("asks for the rest of a run that was cut off before all else, and as far back as it goes", () => {
		const w = new World();
		w.past.want("load", null);
		const temperature = w.streams[0];
		if (temperature === undefined) throw new Error("no stream");
		w.tails.wait(w.now, temperature, { epoch: OLDER, seq: 3 }, null);
		w.past.accepted(true, EPOCH);
		w.past.cutOff();
		w.step();
		expect(w.asked.at(-1)).toMatchObject({ streams: [1], positions: { 1: "0000000a:3" }, since_ms: 0 });
		w.chunk(
			1,
			say({ type: "describe", epoch: "0000000a", streams: [{ id: 9, name: "temperature", class: "event" }] }),
			batch(9, OLDER, 4),
		);
		w.chunk(2, batch(1, EPOCH, 1), batch(1, EPOCH, 1), say({ type: "history", transfer: "80000000", done: true }));
		expect(w.came).toEqual(["tail temperature a:4+0", "tail temperature b:1+0", "done temperature"]);
		expect(w.tails.at("temperature")).toEqual({ epoch: EPOCH, seq: 1 });
		w.tails.end(w.now, new Set(["temperature"]));
		w.step(1_000);
		expect(w.asked.at(-1)).toMatchObject({ streams: [2], since_ms: 60_000 });
	});

	it("ends a transfer of which all has come from elsewhere, and says so again if that was lost", () => {
		const w = new World();
		const [temperature, load] = w.streams as [Stream, Stream];
		w.past.accepted(true, EPOCH);
		for (const stream of [temperature, load]) w.tails.wait(w.now, stream, { epoch: EPOCH, seq: 1 }, null, 4);
		w.step();
		expect(w.asked.at(-1)?.streams).toEqual([1, 2]);
		w.chunk(1, batch(1, EPOCH, 2));
		w.tails.lengthen("temperature", 5);
		w.passed = 9; // with what the device had
		w.chunk(2, batch(1, EPOCH, 3), batch(1, EPOCH, 4));
		expect(w.came).toEqual(["tail temperature b:2+0"]);
		w.step(2_000);
		expect(w.asked.length).toBe(1); // the other one is not whole
		w.chunk(3, batch(2, EPOCH, 2), batch(1, EPOCH, 5));
		w.step();
		expect(w.asked.at(-1)?.streams).toEqual([]);
		const old: Header = { ...header0, class: "history", stream: HISTORY_STREAM, epoch: 7, seq: 4, count: 1 };
		w.past.data(w.now, 1, old, batch(2, EPOCH, 3)); // it was under way
		w.step(1_000);
		expect(w.asked.length).toBe(2);
		w.step(10_000);
		w.past.data(w.now, 1, old, batch(2, EPOCH, 3));
		w.step();
		expect(w.asked.length).toBe(3);
		expect(w.past.ack(w.now)).toBeNull();
		w.step(60_000);
		expect(w.asked.length).toBe(3);
	});

	it("waits on when it gets what a gap overtook", () => {
		const w = new World();
		const [temperature] = w.streams as [Stream];
		w.past.accepted(true, EPOCH);
		w.tails.wait(w.now, temperature, { epoch: EPOCH, seq: 1 }, null, 5);
		w.step();
		w.passed = 3;
		w.chunk(1, batch(1, EPOCH, 2), batch(1, EPOCH, 3));
		expect(w.tails.at("temperature")).toEqual({ epoch: EPOCH, seq: 3 });
		w.chunk(2, batch(1, EPOCH, 4), batch(1, EPOCH, 2));
		expect(w.tails.at("temperature")).toEqual({ epoch: EPOCH, seq: 4 });
		expect(w.came).toEqual(["tail temperature b:4+0"]);
	});

	it("is not asked for what the device does not have, until that is described", () => {
		const w = new World();
		w.past.accepted(true, EPOCH);
		w.past.want("gone", null);
		w.step();
		expect(w.past.wake(true)).toBe(Infinity);
		w.past.described(EPOCH, [...w.streams, { ...w.streams[0], id: 9, name: "gone" } as Stream]);
		expect(w.past.wake(true)).toBeLessThan(Infinity);
	});

	it("brings nothing of a stream that waits again, and does not end it", () => {
		const w = new World();
		const [temperature, load] = w.streams as [Stream, Stream];
		w.past.accepted(true, EPOCH);
		for (const stream of [temperature, load]) w.tails.wait(w.now, stream, { epoch: EPOCH, seq: 1 }, null, 3);
		w.step();
		w.passed = 5;
		w.chunk(1, batch(1, EPOCH, 2));
		w.tails.wait(w.now, temperature, { epoch: EPOCH, seq: 5 }, null, 8);
		w.chunk(2, batch(1, EPOCH, 7), say({ type: "history", transfer: "80000000", done: true }));
		expect(w.came).toEqual(["done load"]);
		expect(w.tails.at("temperature")).toEqual({ epoch: EPOCH, seq: 5 });
	});

	it("takes a goodbye that was not heard", () => {
		const w = new World();
		const [temperature, load] = w.streams as [Stream, Stream];
		w.past.accepted(true, EPOCH);
		for (const stream of [temperature, load]) w.tails.wait(w.now, stream, { epoch: OLDER, seq: 3 }, null);
		w.step();
		w.chunk(1, say({ type: "bye", final: { 1: "0000000a:3", 2: "00000009:3", 9: "0000000a:3" } }));
		expect(w.tails.end(w.now, new Set(["temperature", "load"])).map(({ final }) => final)).toEqual([3, null]);
	});

	it("acknowledges nothing that there is no room for", () => {
		const w = new World();
		w.past.want("load", null);
		w.past.accepted(true, EPOCH);
		w.step();
		w.room = false;
		w.chunk(1, batch(2, EPOCH, 1));
		expect([w.came, w.drops, w.past.ack(w.now + 1_000)]).toEqual([[], ["queue-full"], null]);
		w.room = true;
		w.chunk(1, batch(2, EPOCH, 1));
		expect(w.came).toEqual(["load b:1"]);
		expect(w.past.ack(w.now + 1_000)?.position.seq).toBe(1);
	});

	it("acknowledges the end again when it comes again, also when the device was asked anew", () => {
		const w = new World();
		w.past.want("load", null);
		w.past.accepted(true, EPOCH);
		w.step();
		const end = [batch(2, EPOCH, 1), say({ type: "history", transfer: "80000000", done: true })];
		for (let i = 0; i < 3; i++) {
			w.chunk(1, ...end);
			w.now += 1_000;
			expect(w.past.ack(w.now)?.position.seq).toBe(1);
			w.past.accepted(true, EPOCH);
		}
		expect([w.came, w.done, w.asked.length]).toEqual([["load b:1"], 1, 1]);
	});

	it("delivers the latest of more runs than it remembers", () => {
		const w = new World();
		w.past.want("load", null);
		w.past.accepted(true, EPOCH);
		w.step();
		older(w);
		w.chunk(21, told(0x200, 9, "load"), batch(9, 0x200, 4));
		expect(w.came).toEqual(["load 200:4"]);
	});

	it("tells a gap where a run may have ended in what nobody can tell whose it is", () => {
		const w = new World();
		const [temperature] = w.streams;
		if (temperature === undefined) throw new Error("no stream");
		w.tails.wait(w.now, temperature, { epoch: OLDER, seq: 3 }, 4);
		w.past.accepted(true, EPOCH);
		w.step();
		older(w, told(OLDER, 9, "temperature"));
		w.chunk(21, batch(9, OLDER, 4));
		w.chunk(22, told(0x200, 9, "temperature"), batch(9, 0x200, 1), batch(9, 0x200, 2), batch(1, EPOCH, 1));
		expect(w.came.map((line) => line.replace("temperature ", ""))).toEqual([
			"gap a:4-0",
			"tail 200:1+0",
			"tail 200:2+0",
			"tail b:1+0",
		]);
		expect(w.drops).toEqual(["unknown-stream"]);
	});

	it("does not count on the end that a run told when what nobody can tell whose it is came behind it", () => {
		for (const unnamed of [false, true]) {
			const w = new World();
			const [temperature] = w.streams;
			if (temperature === undefined) throw new Error("no stream");
			w.tails.wait(w.now, temperature, { epoch: OLDER, seq: 3 }, 4);
			w.past.accepted(true, EPOCH);
			w.step();
			w.chunk(1, told(OLDER, 9, "temperature"), batch(9, OLDER, 4));
			if (unnamed) w.chunk(2, batch(9, 0x200, 1));
			expect(w.tails.end(w.now, new Set(["temperature"]))).toMatchObject([
				{ at: { epoch: OLDER, seq: 4 }, final: unnamed ? null : 4 },
			]);
		}
	});
});

function told(epoch: number, id: number, name: string): Uint8Array {
	const streams = [{ id, name, class: "event" }];
	return say({ type: "describe", epoch: epoch.toString(16).padStart(8, "0"), streams });
}

/** older brings descriptions of streams of 20 earlier runs, more than are remembered, behind another one: in chunks 1 to 20. */
function older(w: World, first: Uint8Array = new Uint8Array()): void {
	for (let run = 1; run <= 20; run++) {
		const frames = Array.from({ length: 250 }, (_, i) => told(0x100 + run, 100 + i, `${run}/${i}`));
		w.chunk(run, ...(run === 1 ? [first] : []), ...frames);
	}
}
