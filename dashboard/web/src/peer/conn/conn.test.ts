import { beforeEach, expect, test } from "vitest";
import { CHANNELS } from "../carrier/channels";
import type { LinkRung } from "../carrier/link-carrier";
import { LinkShare } from "../carrier/share";
import { failure } from "../failures";
import type { LinkStanding } from "../link/standing";
import type { FromViewer } from "../signal";
import { FakeChannel, TestEnv } from "../testing";
import { read, said } from "../testing-signal";
import {
	appendEcho,
	appendFrame,
	appendHeader,
	appendTick,
	type Frame,
	type Header,
	hop,
	MAX_COMMAND,
	parseAck,
	parseDrive,
	parseProbe,
	TYPE_ACK,
	TYPE_COMMAND,
	TYPE_DATA,
	TYPE_DRIVE,
	TYPE_OUTCOME,
	TYPE_PROBE,
	TYPE_TICK,
	Writer,
} from "../wire";
import { Conn } from "./conn";
import type { ConnLink } from "./options";

const EPOCH = 0x0a0b0c0d;
const pi = { id: "aa", name: "pi", state: "live", since: 1, session: 1 };
const EVENT = { id: 1, name: "log", class: "event", start: "0a0b0c0d:0" };
const LIVE = { id: 2, name: "cpu", class: "live" };

let env: TestEnv;
let log: string[];
let came: string[]; // which batches, on which rung
let control: string[]; // what came of control
let told: FromViewer[];
let wire: Uint8Array[]; // what the Conn sent through the link, but signals
let conn: Conn;
let link: { -readonly [K in keyof ConnLink]: ConnLink[K] };
let standing: LinkStanding;

beforeEach(() => {
	standing = { state: "use", failure: null };
	env = new TestEnv();
	log = [];
	came = [];
	control = [];
	told = [];
	wire = [];
	let made = 0;
	conn = new Conn({
		env,
		device: "pi",
		want: ["*"],
		from: "head",
		standing: () => standing,
		newestTime: () => null,
		onSuspect: () => log.push("suspect"),
		assistant: {
			number: () => ++made,
			create: (n) => log.push(`create ${n}`),
			answer: () => undefined,
			candidate: () => undefined,
			close: (n) => log.push(`close ${n}`),
		},
		events: {
			onDevice: (d) => log.push(`device ${d.state}`),
			onRefused: (r) => log.push(`refused ${r.code}`),
			onStreams: (_, streams) => log.push(`streams ${streams.map((s) => s.name).join()}`),
			onCopy: ({ seq }, rung) => came.push(`${seq} again on ${rung}`),
			onBatch: ({ stream, header, skip, take, retainedMs }, rung) => {
				came.push(`${header.seq} on ${rung}`);
				const seq = header.seq + skip;
				log.push(`${stream.name} ${seq}+${take}${retainedMs === null ? "" : ` kept ${retainedMs}`}`);
			},
			onGap: (stream, _, from, to) => log.push(`${stream.name} gap ${from}-${to}`),
			onPast: () => undefined,
			onPastDone: () => undefined,
			roomForPast: () => true,
			onStart: () => undefined,
			onFinal: () => undefined,
			onJoined: () => control.push("joined"),
			onRung: () => undefined,
			onTick: ({ epoch, at }) => control.push(`tick ${epoch}:${at}`),
			onOutcome: (body) => control.push(new TextDecoder().decode(body)),
		},
	});
	log = [];
});

/** up attaches a link; what is sent on it lands in told and wire. */
function up(rung: LinkRung = "ws", asked = false): void {
	const socket = { send: (frame: Uint8Array) => wire.push(frame) > 0, queueBytes: () => 0 };
	const signal = (message: FromViewer) => told.push(message) > 0;
	link = { rung, carrier: () => new LinkShare(socket, 1), signal };
	conn.linkUp(link, asked);
}

function hear(...packets: Uint8Array[]): void {
	for (const frame of read(packets)) conn.linkFrame(frame);
	conn.settle();
}

const hello = (epoch = "0a0b0c0d", streams: object[] = [EVENT, LIVE], revision = 0) => [
	said(1, { type: "accept", id: conn.id, epoch, now: 0 }),
	said(1, { type: "describe", epoch, revision, streams }),
];

function data(change: Partial<Header>, h = hop({ conn: 1 })): Uint8Array {
	const header: Header = {
		class: "event",
		stream: 1,
		epoch: EPOCH,
		seq: 1,
		count: 1,
		deadline: 0,
		key: 0,
		will: false,
		...change,
	};
	const body = appendHeader(new Writer(), header)
		.append(new Uint8Array([0, 1]))
		.finish();
	return appendFrame(new Writer(), TYPE_DATA, h, body).finish();
}

const live = (seq: number, h = hop({ conn: 1 })) => data({ class: "live", stream: 2, seq }, h);

function sent(type: number): Frame[] {
	return read(wire.splice(0)).filter((frame) => frame.type === type);
}

/** answer echoes the probes among what was sent. */
function answer(packets: Uint8Array[], number: number): Uint8Array[] {
	return read(packets)
		.filter((frame) => frame.type === TYPE_PROBE)
		.map((frame) => {
			const probe = parseProbe(frame.body);
			const wall = env.wall();
			return appendEcho(new Writer(), hop({ conn: number }), { ...probe, t2: wall, t3: wall }).finish();
		});
}

test("open is sent at once and until accepted; then the relay is the path", () => {
	up();
	expect(told).toEqual([{ type: "open", device: "pi", id: conn.id, want: ["*"], from: "head" }]);
	expect(conn.path()).toMatchObject({ rung: null, reason: "waiting for the device's answer", accepted: false });
	env.advance(1_000);
	expect(told.map((m) => m.type)).toEqual(["open", "open"]);
	hear(said(1, { type: "opened", device: pi }), ...hello());
	expect(log).toEqual(["device live", "streams log,cpu"]);
	expect(conn.path()).toMatchObject({ rung: "ws", accepted: true });
	env.advance(60_000);
	expect(told.map((m) => m.type)).toEqual(["open", "open"]);
});

test("the first request carries an offer that is there and has room", () => {
	const open = { type: "open", device: "pi", id: conn.id, want: ["*"], from: "head" };
	expect(conn.openForRequest()).toEqual(open);
	conn.page.offered(1, "sdp");
	expect(conn.openForRequest()).toEqual({ ...open, offer: { attempt: 1, sdp: "sdp" } });
	conn.page.found(1, "candidate:1", "0");
	up("ws", true);
	expect(told.map((m) => m.type)).toEqual(["candidate"]);
});

test("one that has no room follows", () => {
	conn.page.offered(1, "x".repeat(4000));
	expect(conn.openForRequest()).not.toHaveProperty("offer");
	up("ws", true);
	expect(told.map((m) => m.type)).toEqual(["offer"]);
});

test("of a request that was not heeded nothing counts as said", () => {
	conn.page.offered(1, "sdp");
	conn.openForRequest();
	up();
	expect(told.map((m) => m.type)).toEqual(["open", "offer"]);
});

test("an accept that comes with the news of another session of the device is of the session before", () => {
	up();
	hear(said(1, { type: "opened", device: pi }), ...hello());
	hear(said(1, { type: "state", device: { ...pi, session: 2 } }), ...hello());
	expect(conn.path().accepted).toBe(false);
	expect(told.map((m) => m.type)).toEqual(["open", "open"]);
	hear(...hello());
	expect(conn.path().accepted).toBe(true);
});

test("what is wrong with the link though it works is told of its rung, before the device has answered and after", () => {
	standing = { state: "use", failure: failure("tls-intercepted") };
	up();
	const ws = () => conn.path().rungs.find((info) => info.rung === "ws");
	expect(ws()).toMatchObject({ state: "trying", verdict: { name: "tls-intercepted" } });
	hear(said(1, { type: "opened", device: pi }), ...hello());
	expect(ws()).toMatchObject({ state: "use", verdict: { name: "tls-intercepted" } });
	expect(conn.path().reason).toContain("WebSocket: something on the way opens TLS");
	standing = { state: "use", failure: null };
	expect(ws()).not.toHaveProperty("verdict");
});

test("Events come in order, each once, and are acknowledged: soon, and at once where there is a hole", () => {
	up();
	hear(...hello());
	hear(data({ seq: 1 }), data({ seq: 3 }));
	expect(sent(TYPE_ACK).map((f) => parseAck(f.body).positions)).toEqual([
		[{ stream: 1, epoch: EPOCH, seq: 1, received: [{ from: 3, to: 3 }] }],
	]);
	hear(data({ seq: 3 }), data({ seq: 2 }), data({ seq: 2 }));
	env.advance(100);
	expect(sent(TYPE_ACK).length).toBeGreaterThan(0);
	expect(log.slice(1)).toEqual(["log 1+1", "log 2+1", "log 3+1"]);
});

test("a sealed Event is a gap, and acknowledged: it must not come again for ever", () => {
	up();
	hear(...hello());
	hear(data({ seq: 1, key: 3 }), data({ seq: 2 }));
	env.advance(100);
	const acked = sent(TYPE_ACK).map((f) => parseAck(f.body).positions);
	expect(acked.at(-1)).toEqual([{ stream: 1, epoch: EPOCH, seq: 2, received: [] }]);
	expect(log.slice(1)).toEqual(["log gap 1-1", "log 2+1"]);
	expect(conn.path().drops).toMatchObject({ sealed: 1 });
});

test("retained values come first, once; a will bears no position", () => {
	up();
	hear(
		said(1, { type: "opened", device: pi }),
		said(1, { type: "describe", epoch: "0a0b0c0d", streams: [LIVE, { ...EVENT, start: undefined }] }),
	);
	const kept = hop({ conn: 1, retained: true, held: 40 });
	hear(live(7, kept), live(7, kept), live(6, kept));
	hear(data({ epoch: 99, will: true }, hop({ conn: 1 })));
	expect(log.slice(2)).toEqual(["cpu 7+1 kept 40", "log 1+1 kept 0"]);
	hear(...hello());
	log = [];
	hear(live(7), live(8), live(7, kept));
	expect(log).toEqual(["cpu 8+1"]);
});

test("a new link resumes from the positions", () => {
	up();
	hear(...hello(), data({ seq: 1 }), data({ seq: 2 }));
	conn.linkDown();
	expect(conn.path()).toMatchObject({ rung: null, reason: "connecting to the server" });
	up();
	expect(told.at(-1)).toMatchObject({ type: "open", id: conn.id, positions: { 1: "0a0b0c0d:2" } });
	hear(...hello("0a0b0c0d", [{ ...EVENT, start: "0a0b0c0d:2" }, LIVE]), data({ seq: 2 }), data({ seq: 3 }));
	expect(log.filter((l) => l.startsWith("log"))).toEqual(["log 1+1", "log 2+1", "log 3+1"]);
});

const offline = said(1, { type: "state", device: { ...pi, state: "offline" } });
const again = said(1, { type: "state", device: { ...pi, session: 2 } });
const second = [{ ...EVENT, start: "000000ff:0" }];

test("a device that restarted ends its streams with a gap, and begins anew", () => {
	up();
	hear(said(1, { type: "opened", device: pi }), ...hello(), data({ seq: 1 }), offline);
	expect(conn.path()).toMatchObject({ rung: null, reason: "the device is offline" });
	hear(again);
	expect(told.at(-1)).toMatchObject({ positions: { 1: "0a0b0c0d:1" } });
	log = [];
	hear(said(1, { type: "describe", epoch: "000000ff", streams: [{ ...EVENT, start: undefined }] }));
	expect(conn.openForRequest()).toMatchObject({ positions: { 1: "0a0b0c0d:2" } });
	hear(...hello("000000ff", second), data({ epoch: 255, seq: 1 }));
	expect(log).toEqual(["log gap 2-null", "streams log", "streams log", "log 1+1"]);
	expect(conn.openForRequest()).toMatchObject({ positions: { 1: "000000ff:1" } });
	wire = [];
	env.advance(400);
	expect(sent(TYPE_PROBE).length).toBeGreaterThan(0);
});

const bye = said(1, { type: "bye", final: { 1: "0a0b0c0d:4", 2: "0a0b0c0d:9" } });
const log1 = () => log.filter((l) => l.startsWith("log "));

test("a goodbye overtakes data: what was under way is delivered, what is missing after 2 s is declared", () => {
	up();
	hear(said(1, { type: "opened", device: pi }), ...hello(), data({ seq: 1 }));
	log = [];
	hear(bye, bye, data({ seq: 2 }), data({ seq: 4 }));
	expect(conn.path().rung).toBe("ws"); // what came is still acknowledged
	hear(offline);
	env.advance(1_990);
	expect(log1()).toEqual(["log 2+1"]);
	env.advance(20);
	expect(log1()).toEqual(["log 2+1", "log gap 3-3", "log 4+1"]);
	hear(again, ...hello("000000ff", second), data({ epoch: 255, seq: 1 }));
	env.advance(5_000);
	expect(log1()).toEqual(["log 2+1", "log gap 3-3", "log 4+1", "log 1+1"]);
});

test("a device that said goodbye and is back at once leaves no doubt about what is missing", () => {
	up();
	hear(said(1, { type: "opened", device: pi }), ...hello(), data({ seq: 1 }));
	log = [];
	hear(bye, data({ seq: 3 }), offline, again, ...hello("000000ff", second));
	env.advance(5_000);
	expect(log1()).toEqual(["log gap 2-2", "log 3+1", "log gap 4-4"]);
});

test("what came early is delivered when the device began anew without a goodbye", () => {
	up();
	hear(said(1, { type: "opened", device: pi }), ...hello(), data({ seq: 1 }), data({ seq: 3 }));
	log = [];
	hear(offline, again, ...hello("000000ff", second));
	expect(log1()).toEqual(["log gap 2-2", "log 3+1", "log gap 4-null"]);
});

test("nothing of a run that was cut off is given up while the device cannot be asked", () => {
	up();
	hear(said(1, { type: "accept", id: conn.id, epoch: "0a0b0c0d", now: 0, history: true }), ...hello().slice(1));
	hear(data({ seq: 1 }));
	const next = "0a0b0c0e";
	const anew = () => [
		said(1, { type: "accept", id: conn.id, epoch: next, now: 0, history: true }),
		said(1, { type: "describe", epoch: next, streams: [{ ...EVENT, start: `${next}:0` }] }),
	];
	hear(...anew());
	env.advance(20_000);
	conn.linkDown();
	env.advance(60_000);
	up();
	hear(...anew());
	env.advance(20_000);
	expect(log.filter((line) => line.includes("gap"))).toEqual([]);
	env.advance(11_000); // it was asked all the time
	expect(log.filter((line) => line.includes("gap"))).toEqual(["log gap 2-null"]);
});

test("without a link nothing is asked, and no timer falls due at once again and again", () => {
	up();
	hear(...hello());
	conn.linkDown();
	const waits: number[] = [];
	const later = env.later.bind(env);
	env.later = (ms, call) => {
		waits.push(ms);
		return later(ms, call);
	};
	conn.askAgain();
	expect(waits.filter((ms) => ms <= 0)).toEqual([]);
	env.advance(60_000);
	told = [];
	up();
	expect(told.map(({ type }) => type)).toEqual(["open"]);
});

test("data that nobody described asks for the description, once a second", () => {
	up();
	hear(...hello());
	told = [];
	for (let i = 0; i < 5; i++) hear(data({ stream: 9 }));
	env.advance(1_000);
	hear(data({ epoch: 3 }));
	env.advance(1_000);
	expect(told.map((m) => m.type)).toEqual(["open", "open"]);
	expect(conn.path().drops).toEqual({ "unknown-stream": 5, "old-epoch": 1 });
});

test("a refusal that cannot change is not repeated", () => {
	up();
	hear(said(1, { type: "refused", code: "ambiguous", reason: "two", remedy: "choose", candidates: [] }));
	env.advance(120_000);
	expect(told).toHaveLength(1);
	expect(log[0]).toBe("refused ambiguous");
	expect(log).not.toContain("create 2");
	expect(conn.path().reason).toBe("the request was refused");
});

test("a link whose data channels took another way is named by that", () => {
	up("relay-tcp");
	hear(...hello());
	expect(conn.path().rung).toBe("relay-tcp");
	link.rung = "relay-udp";
	env.advance(3_000);
	expect(conn.path().rung).toBe("relay-udp");
});

test("a device without direct paths is asked for none, and the reason is told", () => {
	up();
	const relayed = said(1, { type: "accept", id: conn.id, epoch: "0a0b0c0d", now: 0, relayed: true });
	hear(said(1, { type: "opened", device: pi }), relayed);
	env.advance(60_000);
	expect(told.filter((m) => m.type === "offer")).toEqual([]);
	expect(conn.path()).toMatchObject({ rung: "ws", reason: expect.stringContaining("the device has no direct paths") });
	expect(conn.path().rungs.find((r) => r.rung === "udp")).toMatchObject({
		state: "off",
		note: "the device has no direct paths",
	});
	hear(said(0, { type: "state", device: { ...pi, session: 9 } }), ...hello("0000000b"));
	expect(conn.path().rungs.find((r) => r.rung === "udp")?.state).toBe("trying");
});

test("what was wrong last time is named while a way is looked for again", () => {
	up();
	hear(...hello());
	const udp = () => conn.path().rungs.find((r) => r.rung === "udp");
	const seen = { failed: false, again: false };
	for (let t = 0; t < 30_000; t += 100) {
		env.advance(100);
		hear(...answer(wire.splice(0), 1));
		if (udp()?.state === "failed") seen.failed = true;
		if (!seen.failed) continue;
		seen.again ||= udp()?.state === "trying";
		expect(udp()?.verdict?.name).toBe("udp-blocked");
	}
	expect(seen).toEqual({ failed: true, again: true });
});

test("the direct path takes over when it is proven, and the relay when it falls silent", () => {
	up();
	hear(said(1, { type: "opened", device: pi }), ...hello());
	const channels = CHANNELS.map(({ id }) => new FakeChannel(id));
	const brief = channels[2];
	conn.page.channels(1, channels as unknown as RTCDataChannel[]);
	for (const channel of channels) channel.opens();
	const reliable = (...packets: Uint8Array[]) => {
		for (const packet of packets) channels[0]?.onmessage?.({ data: packet.buffer });
	};
	channels[1]?.onmessage?.({ data: live(7, hop()).buffer });
	hear(live(7), live(8));
	channels[1]?.onmessage?.({ data: live(8, hop()).buffer });
	expect(came).toEqual(["7 on udp", "7 again on ws", "8 on ws", "8 again on udp"]);
	log = [];
	reliable(said(0, { type: "refused", code: "offline", reason: "", remedy: "", candidates: [] }), offline);
	reliable(said(0, { type: "describe", epoch: "0a0b0c0d", streams: [LIVE] }));
	expect(log).toEqual(["streams log,cpu"]); // it does not speak for the server there
	const [probe] = read(brief?.sent ?? []);
	expect(probe && parseProbe(probe.body)).toMatchObject({ full: true });
	const both = (ms: number, direct: boolean) => {
		for (let t = 0; t < ms; t += 20) {
			env.advance(20);
			hear(...answer(wire.splice(0), 1));
			const packets = brief?.take() ?? [];
			if (direct) for (const echo of answer(packets, 0)) brief?.onmessage?.({ data: echo.buffer });
		}
	};
	both(2_500, true);
	expect(conn.path()).toMatchObject({ rung: "udp", reason: "the best proven path", silentMs: null });
	expect(conn.path().rungs.find((r) => r.rung === "ws")).toMatchObject({ state: "warm" });
	expect(conn.needsLink).toBe(false);
	hear(live(100)); // the device prefers the link, whatever this end does
	both(900, true);
	expect(conn.needsLink).toBe(true);
	hear(live(100)); // twice: no news
	both(200, true);
	expect(conn.needsLink).toBe(false);
	const drive = { fence: 1, seq: 2, hand: 3, tick: { epoch: 4, at: 5 }, setpoints: [{ axis: 1, value: 0.5 }] };
	wire = [];
	conn.drive(drive);
	conn.command(new Uint8Array([0x7b, 0x7d]), false);
	expect(sent(TYPE_DRIVE).map(({ hop, body }) => [hop.conn, hop.priority, parseDrive(body)])).toEqual([[1, 3, drive]]);
	expect(read(brief?.take() ?? []).map(({ type, hop }) => [type, hop.conn])).toContainEqual([TYPE_DRIVE, 0]);
	const commands = () => read(channels[0]?.take() ?? []).filter(({ type }) => type === TYPE_COMMAND).length;
	expect(commands()).toBe(1);
	conn.command(new Uint8Array([0x7b, 0x7d]), true);
	expect([commands(), sent(TYPE_COMMAND).length]).toEqual([1, 1]);
	if (brief !== undefined) brief.bufferedAmount = 5_000;
	conn.drive(drive);
	expect(read(brief?.take() ?? []).filter(({ type }) => type === TYPE_DRIVE)).toEqual([]); // it would wait behind too much
	both(1_500, false);
	const path = conn.path();
	expect(path).toMatchObject({ rung: "ws", reason: "a better path stopped answering" });
	expect(path.rungs.find((r) => r.rung === "ws")).toMatchObject({ state: "use" });
	expect(path.rungs.find((r) => r.rung === "udp")?.note).toMatch(/^no answer for 1\.\d s: UDP may be blocked$/);
	both(4_000, false);
	expect(conn.path().rung).toBe("ws");
	expect(log).toContain("create 2");
	conn.dispose();
	expect(told.at(-1)).toEqual({ type: "close" });
});

test("a path that is used, since there is no other, and silent says for how long", () => {
	up();
	hear(...hello(), live(7));
	expect(conn.path()).toMatchObject({ rung: "ws", silentMs: null });
	for (let t = 0; t < 2_000; t += 20) env.advance(20);
	expect(conn.path()).toMatchObject({ rung: "ws", silentMs: 2_000 });
	hear(live(8));
	expect(conn.path()).toMatchObject({ rung: "ws", silentMs: null });
});

test("ticks and outcomes are handed on, and the device's word that it has us", () => {
	up();
	hear(...hello());
	const frame = (type: number, body: Uint8Array) => appendFrame(new Writer(), type, hop({ conn: 1 }), body).finish();
	hear(frame(TYPE_TICK, appendTick(new Writer(), { epoch: 9, at: 8 }).finish()));
	hear(frame(TYPE_OUTCOME, new TextEncoder().encode("{}")));
	hear(frame(TYPE_OUTCOME, new Uint8Array(MAX_COMMAND + 1)), frame(TYPE_TICK, new Uint8Array(2)));
	expect(control).toEqual(["joined", "tick 9:8", "{}"]);
	expect(conn.path().drops).toEqual({ limit: 1, malformed: 1 });
	up();
	hear(...hello());
	expect(control.at(-1)).toBe("joined");
});

test("what finds no path is counted: who says it says it again", () => {
	conn.command(new Uint8Array(2), true);
	expect(conn.path().drops).toEqual({ "no-path": 1 });
});

test("an open says which descriptions are here, until one is missing or the device began anew", () => {
	up();
	expect(conn.openForRequest()).not.toHaveProperty("revision");
	hear(...hello("0a0b0c0d", [EVENT, LIVE], 3));
	expect(conn.openForRequest()).toMatchObject({ epoch: "0a0b0c0d", revision: 3 });
	hear(said(1, { type: "describe", epoch: "0a0b0c0d", streams: [LIVE] }));
	expect(conn.openForRequest()).toMatchObject({ revision: 3 });
	hear(data({ class: "live", stream: 9 }));
	expect(conn.openForRequest()).not.toHaveProperty("revision");
	hear(...hello("0a0b0c0d", [EVENT], 4));
	expect(conn.openForRequest()).toMatchObject({ revision: 4 });
	hear(said(1, { type: "accept", id: conn.id, epoch: "000000ff", now: 0 }));
	expect(conn.openForRequest()).toMatchObject({ epoch: "000000ff" });
	expect(conn.openForRequest()).not.toHaveProperty("revision");
});
