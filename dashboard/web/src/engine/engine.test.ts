import { beforeEach, expect, test } from "vitest";
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

beforeEach(() => {
	env = new TestEnv();
	posted = [];
	dialled = new Dialled();
	engine = new Engine({
		env,
		post: (message) => posted.push(message),
		archive: null,
		why: async () => ({ refusal: null, reached: false }),
		dial: dialled.dial,
	});
});

function connect(): FakeCarrier {
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "t" });
	env.advance(0);
	return dialled.newest();
}

const welcome = said(0, { type: "welcome", server: "s", role: "viewer", time: 1 });
const types = () => posted.map((m) => m.type).filter((type) => type !== "path");

function sample(conn: number, seq: number, value: number): Uint8Array {
	const batch = new Batch();
	batch.reset("number");
	batch.add(1_000_000, value);
	const header = { class: "live", stream: 3, epoch: 10, seq, count: 1, deadline: 0, key: 0, will: false } as const;
	const body = append(appendHeader(new Writer(), header), batch).finish();
	return appendFrame(new Writer(), TYPE_DATA, hop({ conn }), body).finish();
}

function accept(socket: FakeCarrier, conn: number, id: unknown): void {
	socket.hear(
		said(conn, { type: "opened", device: pi }),
		said(conn, { type: "accept", id, epoch: "0000000a", now: 0 }),
		said(conn, {
			type: "describe",
			epoch: "0000000a",
			streams: [{ id: 3, name: "cpu", class: "live", meta: { unit: "%" } }],
		}),
	);
}

test("the list of devices is kept whole, by name", () => {
	const socket = connect();
	socket.hear(welcome);
	expect(signals(socket.take())).toEqual([{ conn: 0, type: "watch" }]);
	socket.hear(said(0, { type: "devices", full: true, devices: [pi, { ...pi, id: "bb", name: "arm" }] }));
	socket.hear(said(0, { type: "devices", devices: [{ ...pi, state: "offline" }] }));
	const last = posted.at(-1);
	expect(last?.type === "devices" && last.devices.map((d) => `${d.name} ${d.state}`)).toEqual([
		"arm live",
		"pi offline",
	]);
});

test("what was heard of a device long ago grows older, whatever is told of others", () => {
	const socket = connect();
	socket.hear(welcome);
	const hive = { ...pi, id: "cc", name: "hive", state: "reachable", heard_ms: 5_000 };
	socket.hear(said(0, { type: "devices", full: true, devices: [pi, hive] }));
	env.advance(2_000);
	socket.hear(said(0, { type: "devices", devices: [{ ...pi, state: "offline" }] }));
	const last = posted.at(-1);
	expect(last?.type === "devices" && last.devices[0]).toMatchObject({ name: "hive", heardMs: 7_000 });
});

test("a device that is opened right away is in the first request, and its samples come when they are pulled", () => {
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "" });
	engine.handle({ type: "open", device: "pi" });
	env.advance(0);
	const socket = dialled.newest();
	const open = socket.request.open as { id: string };
	socket.hear(welcome);
	expect(signals(socket.take())).toEqual([{ conn: 0, type: "watch" }]);
	accept(socket, 1, open.id);
	socket.hear(sample(1, 4, 12.5), sample(2, 1, 0));
	engine.handle({ type: "pull" });
	engine.handle({ type: "pull" });
	expect(types()).toEqual(["rtc.create", "link", "link", "opened", "streams", "samples"]);
	const samples = posted.at(-1);
	expect(samples).toMatchObject({ parts: [{ stream: 3, epoch: "0000000a", n: 1, retainedMs: null, late: false }] });
	expect(samples?.type === "samples" && [...samples.data]).toEqual([4, 1000, 12.5]);
});

test("the first request waits for the offer that rides in it, and for no longer than it is worth", () => {
	engine.handle({ type: "open", device: "pi" });
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "old" });
	env.advance(30);
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "t" });
	env.advance(49);
	expect(dialled.carriers).toEqual([]);
	const { attempt } = posted.find((m) => m.type === "rtc.create") ?? { attempt: 0 };
	engine.handle({ type: "rtc.offer", attempt, sdp: "sdp" });
	env.advance(0);
	expect(dialled.carriers.map(({ request }) => request)).toMatchObject([
		{ token: "t", open: { device: "pi", offer: { attempt, sdp: "sdp" } } },
	]);
	engine.handle({ type: "close" });
	engine.handle({ type: "open", device: "pi" });
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "t" });
	env.advance(50);
	expect(dialled.carriers).toHaveLength(2);
	expect(dialled.newest().request.open).not.toHaveProperty("offer");
});

test("one that waits when all is over is not made", () => {
	engine.handle({ type: "open", device: "pi" });
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "t" });
	engine.dispose();
	env.advance(100);
	expect(dialled.carriers).toEqual([]);
});

test("another device takes the place of the one that is open", () => {
	const socket = connect();
	socket.hear(welcome);
	engine.handle({ type: "open", device: "pi" });
	engine.handle({ type: "open", device: "arm" });
	const said = signals(socket.take()).slice(1);
	expect(said.map(({ conn, type, device }) => [conn, type, device])).toEqual([
		[1, "open", "pi"],
		[1, "close", undefined],
		[2, "open", "arm"],
	]);
	socket.hear(sample(1, 1, 1));
	engine.handle({ type: "close" });
	expect(types().filter((t) => t.startsWith("rtc"))).toEqual(["rtc.create", "rtc.close", "rtc.create", "rtc.close"]);
	const paths = () => posted.filter((m) => m.type === "path").length;
	const before = paths();
	env.advance(5_000);
	expect(paths()).toBe(before);
});

test("the badge is told four times a second", () => {
	connect().hear(welcome);
	engine.handle({ type: "open", device: "pi" });
	posted = [];
	env.advance(1_000);
	expect(posted.filter((m) => m.type === "path")).toHaveLength(4);
});

test("the badge is told of another rung at once, and from then on as before", () => {
	const socket = connect();
	socket.hear(welcome);
	engine.handle({ type: "open", device: "pi" });
	const rungs = () => posted.flatMap((m) => (m.type === "path" ? [m.path.rung] : []));
	expect(rungs()).toEqual([null]);
	env.advance(100);
	const [, open] = signals(socket.take());
	accept(socket, 1, open?.id);
	env.advance(1);
	expect(rungs()).toEqual([null, "ws"]);
	env.advance(1_000);
	expect(rungs()).toHaveLength(6);
});

test("a survey gets the TURN servers that the server tells; what cannot be asked is null", () => {
	const jobs = () => posted.flatMap((m) => (m.type === "survey" ? [m.job.servers] : []));
	engine.handle({ type: "survey" });
	expect(jobs()).toEqual([null]);
	const socket = connect();
	socket.hear(welcome);
	engine.handle({ type: "survey" });
	expect(signals(socket.sent).at(-1)?.type).toBe("servers");
	const server = { urls: ["turn:h:1?transport=udp"], username: "u", credential: "c" };
	socket.hear(said(0, { type: "servers", servers: [server] }));
	socket.hear(said(0, { type: "servers", servers: [] })); // nobody asked
	expect(jobs()).toEqual([null, [server]]);
	engine.handle({ type: "survey" });
	env.advance(1_000);
	expect(jobs()).toEqual([null, [server], null]);
});
