import { beforeEach, expect, test } from "vitest";
import { FakeSocket, TestEnv } from "../testing";
import { read, said, signals } from "../testing-signal";
import { TYPE_ECHO, TYPE_PROBE } from "../wire";
import { probeFrame } from "./encode";
import { Link } from "./link";

const welcome = said(0, { type: "welcome", server: "s", role: "viewer", time: 1 });
const told = { code: "unauthorized", reason: "the token is wrong", remedy: "paste another" };

let env: TestEnv;
let sockets: FakeSocket[];
let log: string[];
let answer: typeof told | null;
let link: Link;

beforeEach(() => {
	env = new TestEnv();
	sockets = [];
	log = [];
	answer = null;
	link = new Link({
		env,
		opening: () => ({ type: "open", device: "pi", id: "i" }),
		why: async () => answer,
		dial: (url, protocols) => {
			const socket = new FakeSocket(url, protocols);
			sockets.push(socket);
			return socket as unknown as WebSocket;
		},
		events: {
			onConnecting: () => log.push("connecting"),
			onUp: ({ role }, opened) => log.push(`up ${role} ${opened}`),
			onDown: ({ code, reason }, retry) =>
				log.push(`down ${code}: ${reason}, ${retry === null ? "never" : Math.ceil(retry)}`),
			onFrame: (frame) => log.push(`frame ${frame.hop.conn}`),
			onPacketEnd: () => undefined,
			onSignal: (message) => log.push(message.type),
		},
	});
});

function connect(): FakeSocket {
	link.connect("ws://host/v1/link", "secret");
	env.advance(0);
	return newest();
}

function newest(): FakeSocket {
	const socket = sockets.at(-1);
	if (socket === undefined) throw new Error("nothing was dialled");
	return socket;
}

test("token and open are in the first request; nothing is sent before the welcome", () => {
	const socket = connect();
	expect(socket.protocols[0]).toBe("telepath.v1");
	expect(socket.protocols.map((p) => p.split(".")[0])).toEqual(["telepath", "token", "open"]);
	expect(link.signal(0, { type: "watch" })).toBe(false);
	socket.hear(welcome);
	expect(log).toEqual(["connecting", "up viewer true"]);
	expect(link.signal(0, { type: "watch" })).toBe(true);
	expect(signals(socket.take())).toEqual([{ conn: 0, type: "watch" }]);
});

test("it probes when it has nothing else to say, and answers probes", () => {
	const socket = connect();
	socket.hear(welcome);
	env.advance(2_000);
	socket.hear(probeFrame(0, { id: 9, heard: true, full: false, t1: 5 }));
	expect(read(socket.take()).map((f) => f.type)).toEqual([TYPE_ECHO]);
	env.advance(2_999);
	expect(socket.take()).toEqual([]);
	env.advance(1);
	expect(read(socket.take()).map((f) => f.type)).toEqual([TYPE_PROBE]);
});

test("a link that is silent for 4.5 s is dead, and is made again", () => {
	const socket = connect();
	socket.hear(welcome);
	env.advance(4_499);
	expect(socket.closed).toBe(false);
	env.advance(1);
	expect(socket.closed).toBe(true);
	expect(log.at(-1)).toBe("down silent: nothing was heard from the server, 999");
	env.advance(999);
	expect(sockets).toHaveLength(2);
});

test("a close code decides when it is tried again", () => {
	const socket = connect();
	socket.onopen?.();
	socket.hear(welcome);
	socket.onclose?.({ code: 4000, reason: "restarting" });
	expect(log.at(-1)).toBe("down draining: restarting, 999");
	env.advance(1_000);
	newest().onclose?.({ code: 4001, reason: "" });
	expect(log.at(-1)).toBe("down unauthorized: , never");
	env.advance(600_000);
	expect(sockets).toHaveLength(2);
});

test("a refuse signal says more than the close code", () => {
	const socket = connect();
	socket.hear(said(0, { type: "refuse", ...told, code: "rate-limited", reason: "too often" }));
	socket.onclose?.({ code: 4007, reason: "" });
	expect(log.at(-1)).toBe("down rate-limited: too often, 250");
});

test("where the upgrade failed the server is asked why", async () => {
	answer = told;
	connect().onclose?.({ code: 1006, reason: "" });
	await Promise.resolve();
	expect(log.at(-1)).toBe("down unauthorized: the token is wrong, never");
});

test("a server that cannot be reached is tried later and later", async () => {
	let socket = connect();
	const pauses = [];
	for (let i = 0; i < 4; i++) {
		socket.onclose?.({ code: 1006, reason: "" });
		await Promise.resolve();
		const before = env.time;
		while (newest() === socket) env.advance(1);
		pauses.push(env.time - before);
		socket = newest();
	}
	expect(pauses).toEqual([250, 500, 999, 1998]);
});

test("what comes on a socket that was given up has no effect", () => {
	const first = connect();
	link.connect("ws://other/v1/link", "");
	env.advance(0);
	first.hear(welcome);
	first.onclose?.({ code: 1006, reason: "" });
	expect(link.up).toBe(false);
	expect(newest().url).toBe("ws://other/v1/link");
	expect(log).toEqual(["connecting", "connecting"]);
	link.close();
	env.advance(60_000);
	expect(sockets).toHaveLength(2);
});

test("a full buffer refuses what is repeated anyway before what must arrive", () => {
	const socket = connect();
	socket.hear(welcome);
	socket.bufferedAmount = 100_000;
	expect(link.send(new Uint8Array(10), false)).toBe(false);
	expect(link.send(new Uint8Array(10), true)).toBe(true);
	socket.bufferedAmount = 2_000_000;
	expect(link.send(new Uint8Array(10), true)).toBe(false);
});

test("unreadable frames harm nothing else", () => {
	const socket = connect();
	socket.hear(said(0, { type: "devices", devices: 7 }), new Uint8Array([2, 4, 0]), welcome, new Uint8Array([99, 1]));
	expect(log).toContain("up viewer true");
});
