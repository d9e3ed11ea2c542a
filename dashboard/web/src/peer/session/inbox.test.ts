import { describe, expect, test } from "vitest";
import { GAP_REASONS, gapReasonName, type Header, parseClass } from "../wire";
import { Random } from "../wire/testing";
import { type Delivery, type DropReason, Early, Inbox } from ".";
import {
	type Arguments,
	EPOCH,
	fail,
	formatRange,
	formatTime,
	parseBatch,
	parseRange,
	playAll,
	type World,
} from "./scenario.testing";

const REASONS: ReadonlyMap<string, number> = new Map(Object.entries(GAP_REASONS));

const payloadOf = (h: Header) => new TextEncoder().encode(`${h.seq}+${h.count}`);

/** InboxWorld plays inbox-*.scenario. */
class InboxWorld implements World {
	private early = new Early();
	private readonly boxes = new Map<number, Inbox>();
	private box = new Inbox(1, "event", EPOCH, 0, this.early); // of the line's stream; the first one if that has none
	private readonly out: Delivery[] = [];
	private drop: DropReason | "" = "";

	event(now: number, verb: string, args: Arguments): void {
		this.out.length = 0;
		this.drop = "";
		const stream = args.number("stream", 1);
		this.box = this.boxes.get(stream) ?? this.boxes.get(1) ?? this.box;
		switch (verb) {
			case "step":
				return;
			case "early":
				this.early = new Early(args.number("bytes", 0));
				return;
			case "acked":
				this.box.acked(now);
				return;
			case "inbox":
				this.box = this.inbox(stream, args);
				this.boxes.set(stream, this.box);
				return;
			case "data":
				this.data(now, args);
				return;
			case "gap": {
				const reason = REASONS.get(args.text("reason", "ring")) ?? fail("no such reason");
				const place = { stream, epoch: args.number("epoch", EPOCH) };
				this.box.gap(now, { ...place, ...parseRange(args.word(0)), reason }, this.out);
				return;
			}
			default:
				fail(`no verb ${verb}`);
		}
	}

	check(_: number, what: string, want: string[]): string[] {
		switch (what) {
			case "deliver":
				return this.out.map(formatDelivery);
			case "newest": {
				const last = this.out.at(-1);
				return [last?.gap === null && last.newest ? "yes" : "no"];
			}
			case "drop":
				return this.drop === "" ? [] : [this.drop];
			case "position": {
				const { seq, received } = this.box.position();
				return [`${seq}`, ...received.map(formatRange)];
			}
			case "ack":
				return this.box.ackDue() === Infinity ? [] : [formatTime(this.box.ackDue(), want[0])];
			case "stats": {
				const stats = new Map(Object.entries(this.box.stats()));
				return want.map((word) => word.split("=")[0] ?? "").map((name) => `${name}=${stats.get(name)}`);
			}
			case "early":
				return [`${this.early.used}`];
			default:
				return fail(`no check ${what}`);
		}
	}

	private inbox(stream: number, args: Arguments): Inbox {
		const cls = parseClass(args.word(0)) ?? fail("no such class");
		return new Inbox(stream, cls, EPOCH, args.number("start", 0), this.early);
	}

	private data(now: number, args: Arguments): void {
		const header: Header = {
			class: parseClass(args.text("class", this.box.cls)) ?? fail("no such class"),
			stream: args.number("stream", 1),
			epoch: args.number("epoch", EPOCH),
			...parseBatch(args.word(0)),
			deadline: args.number("deadline", 0),
			key: 0,
			will: false,
		};
		const text = payloadOf(header);
		const payload = new Uint8Array(Math.max(text.length, args.number("size", 0)));
		payload.set(text);
		this.drop = this.box.receive(now, header, payload, args.time("age", -1), this.out);
		for (const d of this.out) {
			if (d.gap !== null) continue;
			const want = payloadOf(d.header);
			expect(d.payload.subarray(0, want.length)).toEqual(want);
		}
		payload.fill(0); // what was held back has to be a copy
	}
}

function formatDelivery(d: Delivery): string {
	if (d.gap !== null) return `gap:${formatRange(d.gap)}:${gapReasonName(d.gap.reason)}`;
	const from = d.header.seq + d.skip;
	return formatRange({ from, to: from + d.take - 1 }) + (d.late ? "!late" : "");
}

playAll("inbox", () => new InboxWorld());

function header(cls: Header["class"], seq: number, count: number): Header {
	return { class: cls, stream: 1, epoch: EPOCH, seq, count, deadline: 0, key: 0, will: false };
}

describe("Live", () => {
	test("uses its deliveries again, so that a stream in steady state allocates nothing", () => {
		const box = new Inbox(1, "live", EPOCH, 0, new Early());
		const seen = new Set<Delivery>();
		for (let n = 0; n < 100; n++) {
			const out: Delivery[] = [];
			expect(box.receive(n, header("live", 1 + 5 * n, 5), new Uint8Array(), -1, out)).toBe("");
			expect(out.map(formatDelivery)).toEqual([`${1 + 5 * n}..${5 + 5 * n}`]);
			for (const d of out) seen.add(d);
		}
		expect(seen.size).toBe(1);
	});

	test("delivers each sample once, whatever comes in whatever order", () => {
		const random = new Random(3);
		const box = new Inbox(1, "live", EPOCH, 0, new Early());
		const times = new Map<number, number>();
		for (let n = 0; n < 1000; n++) {
			const out: Delivery[] = [];
			box.receive(n, header("live", 1 + random.int(0, 1500), random.int(1, 20)), new Uint8Array(), -1, out);
			for (const seq of out.flatMap(samples)) times.set(seq, (times.get(seq) ?? 0) + 1);
		}
		expect(Math.max(...times.values())).toBe(1);
		const { delivered, lost } = box.stats();
		expect(delivered).toBe(times.size);
		expect(lost).toBeLessThan(1500);
	});
});

function samples(d: Delivery): number[] {
	return d.gap !== null ? [] : Array.from({ length: d.take }, (_, i) => d.header.seq + d.skip + i);
}

/** covered are all samples that a delivery accounts for: those that it holds, or declares missing. */
function covered(d: Delivery): number[] {
	return d.gap === null
		? samples(d)
		: Array.from({ length: d.gap.to - d.gap.from + 1 }, (_, i) => (d.gap?.from ?? 0) + i);
}

test("Event comes out in order, each sample once or declared missing once, from any disorder", () => {
	for (let seed = 1; seed <= 15; seed++) {
		const random = new Random(seed);
		const box = new Inbox(1, "event", EPOCH, 10, new Early());
		const seen: number[] = [];
		for (let n = 0; n < 600; n++) {
			const out: Delivery[] = [];
			const from = 1 + random.int(0, 300);
			if (random.int(0, 9) > 0) box.receive(n, header("event", from, random.int(1, 9)), new Uint8Array(3), -1, out);
			else box.gap(n, { stream: 1, epoch: EPOCH, from, to: from + random.int(0, 9), reason: 1 }, out);
			seen.push(...out.flatMap(covered));
			const { seq, received } = box.position();
			expect(seq).toBe(10 + seen.length);
			expect(received.every((r, i) => r.from <= r.to && r.from > 1 + (received[i - 1]?.to ?? seq))).toBe(true);
		}
		expect(seen).toEqual(seen.map((_, i) => 11 + i));
		expect(seen.length).toBeGreaterThan(100);
	}
});

test("the gap that the position stands before finds room, however many are known beyond it", () => {
	const box = new Inbox(1, "event", EPOCH, 0, new Early());
	const gap = (from: number, to: number): Delivery[] => {
		const out: Delivery[] = [];
		box.gap(0, { stream: 1, epoch: EPOCH, from, to, reason: 1 }, out);
		return out;
	};
	const known = 512; // twice as many as there is room for
	for (let i = 0; i < known; i++) gap(10 + 2 * i, 10 + 2 * i);
	const last = 10 + 2 * known;
	expect(gap(1, last).map(formatDelivery)).toEqual([`gap:1..${last}:ring`]);
	expect(box.position().seq).toBe(last);
});
