import { beforeEach, expect, test } from "vitest";
import type { Entry } from "../archive/entry";
import type { Archive, Loaded } from "../archive/events";
import { Dialled, type FakeCarrier } from "../peer/carrier/fake.testing";
import { append, Batch } from "../peer/telemetry";
import { TestEnv } from "../peer/testing";
import { said, signals } from "../peer/testing-signal";
import { appendFrame, appendHeader, hop, TYPE_DATA, Writer } from "../peer/wire";
import type { FromWorker } from "../port";
import { Engine } from "./engine";

const pi = { id: "aa", name: "pi", state: "live", since: 1, session: 1 };

let env: TestEnv;
let posted: FromWorker[];
let dialled: Dialled;
let engine: Engine;
let added: Entry[];

/** kept is an archive that has this of a device. */
function kept(loaded: Loaded | null): Archive {
	return { load: async () => loaded, add: (_, entry) => added.push(entry), hasRoom: true, clear: () => undefined };
}

function make(loaded: Loaded | null): void {
	engine = new Engine({
		env,
		post: (message) => posted.push(message),
		archive: kept(loaded),
		why: async () => ({ refusal: null, reached: false }),
		dial: dialled.dial,
	});
}

beforeEach(() => {
	env = new TestEnv();
	posted = [];
	added = [];
	dialled = new Dialled();
});

function text(value: string): Uint8Array {
	const batch = new Batch();
	batch.reset("text");
	batch.add(1_000_000, value);
	return append(new Writer(), batch).finish();
}

function event(seq: number, value: string): Uint8Array {
	const header = { class: "event", stream: 3, epoch: 10, seq, count: 1, deadline: 0, key: 0, will: false } as const;
	const body = appendHeader(new Writer(), header).append(text(value)).finish();
	return appendFrame(new Writer(), TYPE_DATA, hop({ conn: 1 }), body).finish();
}

const batch = (seq: number, value: string) =>
	({ what: "batch", id: 3, name: "log", epoch: 10, seq, count: 1, skip: 0, take: 1, payload: text(value) }) as const;

const earlier: Loaded = {
	id: "aa",
	places: [{ id: 3, name: "log", epoch: 10, seq: 4, final: null, older: [] }],
	entries: [
		batch(1, "one"),
		{ what: "gap", id: 3, name: "log", epoch: 10, from: 2, to: 3, reason: 1 },
		batch(4, "four"),
	],
};

/** open opens the device; what the first request carried, and its carrier. */
async function open(): Promise<{ asked: Record<string, unknown>; carrier: FakeCarrier }> {
	engine.handle({ type: "open", device: "pi" });
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "" });
	await new Promise((resolve) => setTimeout(resolve));
	env.advance(50); // as long as it waits for an offer
	const carrier = dialled.newest();
	return { asked: carrier.request.open as Record<string, unknown>, carrier };
}

function accept(id: unknown, start: string, device = pi): Uint8Array[] {
	const stream = { id: 3, name: "log", class: "event", meta: { kind: "text" }, start };
	return [
		said(0, { type: "welcome", server: "s", role: "viewer", time: 1 }),
		said(1, { type: "opened", device }),
		said(1, { type: "accept", id, epoch: "0000000a", now: 0 }),
		said(1, { type: "describe", epoch: "0000000a", streams: [stream] }),
	];
}

/** told is what the page gets of the log. */
function told(): string[] {
	engine.handle({ type: "pull" });
	return posted.flatMap((m) => {
		if (m.type === "gap") return [`gap ${m.from}-${m.to}${m.restored ? " restored" : ""}`];
		return m.type === "samples" ? m.parts.map((p) => `${m.texts[p.text]}${p.restored ? " restored" : ""}`) : [];
	});
}

test("a page that is loaded again shows what it had and goes on behind it, from the first request on", async () => {
	make(earlier);
	const { asked, carrier } = await open();
	expect(asked).toMatchObject({ device: "pi", positions: { 3: "0000000a:4" } });
	carrier.hear(...accept(asked.id, "0000000a:4"), event(5, "five"));
	expect(posted.map((m) => m.type).filter((t) => t === "streams" || t === "samples")).toEqual(["streams", "samples"]);
	expect(told()).toEqual(["one restored", "gap 2-3 restored", "four restored", "five"]);
	expect(added.map(({ what }) => what)).toEqual(["start", "batch"]);
	expect(added[1]).toMatchObject({ name: "log", epoch: 10, seq: 5, skip: 0, take: 1, payload: text("five") });
});

test("what is missing behind it is declared once, behind it, and kept", async () => {
	make(earlier);
	const { asked, carrier } = await open();
	carrier.hear(...accept(asked.id, "0000000a:6"), event(7, "seven"));
	expect(told()).toEqual(["one restored", "gap 2-3 restored", "four restored", "gap 5-6", "seven"]);
	expect(added.map(({ what }) => what)).toEqual(["gap", "start", "batch"]);
});

test("another device by that name begins with nothing", async () => {
	make(earlier);
	const { asked, carrier } = await open();
	carrier.hear(...accept(asked.id, "0000000a:6", { ...pi, id: "bb" }), event(7, "seven"));
	expect(told()).toEqual(["seven"]);
});

test("a device that was left while its past was read is not opened", async () => {
	make(earlier);
	engine.handle({ type: "open", device: "pi" });
	engine.handle({ type: "close" });
	const { asked, carrier } = await open();
	carrier.hear(...accept(asked.id, "0000000a:4"));
	expect(signals(carrier.take()).map(({ type }) => type)).toEqual(["watch"]);
	expect(posted.filter((m) => m.type === "rtc.create")).toHaveLength(1);
});
