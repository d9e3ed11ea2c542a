import { beforeEach, expect, test } from "vitest";
import { Dialled, type FakeCarrier } from "../peer/carrier/fake.testing";
import type { LinkRung } from "../peer/carrier/link-carrier";
import { failure } from "../peer/failures";
import { append, Batch } from "../peer/telemetry";
import { TestEnv } from "../peer/testing";
import { said, signals } from "../peer/testing-signal";
import { appendFrame, appendHeader, hop, TYPE_DATA, Writer } from "../peer/wire";
import type { FromWorker, PathInfo, Rung } from "../port";
import { Engine } from "./engine";

// One Conn, and the link under it on one rung after another.

const EPOCH = "0000000a";
const pi = { id: "aa", name: "pi", state: "live", since: 1, session: 1 };
const welcome = said(0, { type: "welcome", server: "s", role: "viewer", time: 1 });

let env: TestEnv;
let posted: FromWorker[];
let dialled: Dialled;
let engine: Engine;
let id: unknown; // of the Conn

beforeEach(() => {
	env = new TestEnv();
	posted = [];
	dialled = new Dialled();
	engine = new Engine({
		env,
		post: (message) => posted.push(message),
		archive: null,
		why: async () => ({ refusal: null, reached: true }),
		dial: dialled.dial,
	});
});

const on = (rung: LinkRung): FakeCarrier => dialled.newest(rung);

function begin(...only: Rung[]): void {
	engine.handle({ type: "open", device: "pi", only });
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "", only });
	env.advance(50); // as long as it waits for an offer
	id = (dialled.newest().request.open as { id: string }).id;
}

/** accepts is the device's answer to an open, on a number of a link. */
function accepts(carrier: FakeCarrier, conn: number): void {
	const stream = { id: 3, name: "log", class: "event", meta: { kind: "text" }, start: `${EPOCH}:0` };
	carrier.hear(
		said(conn, { type: "opened", device: pi }),
		said(conn, { type: "accept", id, epoch: EPOCH, now: 0 }),
		said(conn, { type: "describe", epoch: EPOCH, streams: [stream] }),
	);
}

function event(conn: number, seq: number): Uint8Array {
	const batch = new Batch();
	batch.reset("text");
	batch.add(1_000_000, `event ${seq}`);
	const header = { class: "event", stream: 3, epoch: 10, seq, count: 1, deadline: 0, key: 0, will: false } as const;
	const body = append(appendHeader(new Writer(), header), batch).finish();
	return appendFrame(new Writer(), TYPE_DATA, hop({ conn }), body).finish();
}

/** events are those that the page gets. */
function events(): string[] {
	engine.handle({ type: "pull" });
	return posted.flatMap((m) => (m.type === "samples" ? m.texts : m.type === "gap" ? ["gap"] : []));
}

function path(): PathInfo {
	env.advance(250);
	const told = posted.findLast((m) => m.type === "path");
	if (told === undefined) throw new Error("no path was told");
	return told.path;
}

const opens = (carrier: FakeCarrier) =>
	signals(carrier.take()).flatMap(({ conn, type, positions }) => (type === "open" ? [{ conn, positions }] : []));

test("a better rung takes over without a gap, and no Event is lost or comes twice", () => {
	begin();
	env.advance(300);
	on("sse").hear(welcome);
	expect(opens(on("sse"))).toEqual([{ conn: 1, positions: undefined }]);
	accepts(on("sse"), 1);
	on("sse").hear(event(1, 1), event(1, 2));
	expect(path().rung).toBe("sse");

	on("ws").hear(welcome);
	// Its request carried the open, but the device is bound to the other link since: it is asked again.
	expect(opens(on("ws"))).toEqual([{ conn: 1, positions: { 3: `${EPOCH}:2` } }]);
	on("sse").hear(event(1, 3));
	expect([path().rung, on("sse").closed]).toEqual(["sse", false]);

	accepts(on("ws"), 1);
	on("ws").hear(event(1, 3), event(1, 5));
	on("sse").hear(event(1, 4), event(1, 5));
	expect(path().rung).toBe("ws");
	expect(events()).toEqual([1, 2, 3, 4, 5].map((n) => `event ${n}`));
	env.advance(2_000);
	expect(on("sse").closed).toBe(true);
	expect(posted.filter((m) => m.type === "link" && m.state === "closed")).toEqual([]);
});

test("the path says what failed above it, and each rung has its verdict", async () => {
	begin();
	on("ws").ends({ failure: failure("upgrade-refused") });
	on("sse").ends({ failure: failure("stream-buffered") });
	on("poll").hear(welcome);
	accepts(on("poll"), 1);
	await Promise.resolve();
	env.advance(3_000);
	const told = path();
	expect(told.rung).toBe("poll");
	for (const name of ["upgrade-refused", "stream-buffered", "udp-blocked"]) expect(told.reason).toContain(`(${name})`);
	const verdicts = told.rungs.map(({ rung, state, verdict }) => [rung, state, verdict?.name]);
	expect(verdicts).toContainEqual(["ws", "failed", "upgrade-refused"]);
	expect(verdicts).toContainEqual(["sse", "failed", "stream-buffered"]);
	expect(verdicts).toContainEqual(["poll", "use", undefined]);
	expect(told.rungs.find(({ rung }) => rung === "ws")?.verdict?.remedy).toMatch(/reverse-proxy\.md/);
});

test("a page that keeps to rungs of the relay makes no attempt at a direct path", () => {
	begin("sse");
	expect(dialled.rungs()).toBe("sse");
	on("sse").hear(welcome);
	accepts(on("sse"), 1);
	env.advance(20_000);
	expect(posted.filter((m) => m.type === "rtc.create")).toEqual([]);
	expect(path().rungs.find(({ rung }) => rung === "ws")?.note).toMatch(/\?only=/);
});

test("one that keeps to the direct path has the link for introductions alone", () => {
	begin("udp");
	on("ws").hear(welcome);
	accepts(on("ws"), 1);
	on("ws").hear(event(1, 1));
	expect(path().rung).toBeNull();
	expect(events()).toEqual([]);
	expect(posted.some((m) => m.type === "rtc.create")).toBe(true);
});

test("another token leaves nothing of the link before it", () => {
	begin();
	on("ws").hear(welcome);
	const before = on("ws");
	begin();
	expect(before.closed).toBe(true);
	on("ws").hear(welcome);
	accepts(on("ws"), 1);
	expect(opens(on("ws"))).toEqual([]); // it was in the request
	expect(path().rung).toBe("ws");
});
