import { beforeEach, expect, test } from "vitest";
import { Dialled, type FakeCarrier } from "../carrier/fake.testing";
import { failure } from "../failures";
import { TestEnv } from "../testing";
import { read, said, signals } from "../testing-signal";
import { parseProbe, TYPE_ECHO, TYPE_PROBE } from "../wire";
import { echoFrame, probeFrame } from "./encode";
import { Link } from "./link";

const welcome = said(0, { type: "welcome", server: "s", role: "viewer", time: 1 });
const cut = { failure: failure("cut") };
const refused = (code: string, reason = "") => ({ refusal: { code, reason, remedy: "" } });

let env: TestEnv;
let dialled: Dialled;
let log: string[];
let link: Link;

beforeEach(() => {
	env = new TestEnv();
	dialled = new Dialled();
	log = [];
	link = new Link({
		env,
		opening: () => ({ type: "open", device: "pi", id: "i" }),
		why: async () => ({ refusal: null, reached: true }),
		dial: dialled.dial,
		events: {
			onConnecting: () => log.push("connecting"),
			onUp: ({ role }, line) => log.push(`up ${role} ${line.opened}`),
			onDown: ({ code, reason }, retry) =>
				log.push(`down ${code}: ${reason}, ${retry === null ? "never" : Math.ceil(retry)}`),
			onFrame: (frame) => log.push(`frame ${frame.hop.conn}`),
			onPacketEnd: () => undefined,
			onSignal: (message) => log.push(message.type),
			onSettled: () => undefined,
			onCarried: () => undefined,
		},
	});
});

/** connect begins on a WebSocket alone. */
function connect(url = "http://host/v1/link"): FakeCarrier {
	link.connect({ url, token: "secret", only: ["ws"] });
	env.advance(0);
	return dialled.newest();
}

test("token and open are in the first request; nothing is sent before the welcome", () => {
	const carrier = connect();
	expect(carrier.request).toEqual({
		url: "http://host/v1/link",
		token: "secret",
		open: { type: "open", device: "pi", id: "i" },
	});
	carrier.hear(said(0, { type: "devices", devices: [] }));
	expect(link.current).toBeNull();
	carrier.hear(welcome);
	expect(log).toEqual(["connecting", "devices", "up viewer true"]);
	expect(link.current?.signal(0, { type: "watch" })).toBe(true);
	expect(signals(carrier.take())).toEqual([{ conn: 0, type: "watch" }]);
});

test("it probes when nothing was sent or heard for 2.4 s, and answers probes", () => {
	const carrier = connect();
	welcomed(carrier);
	env.advance(2_000);
	carrier.hear(probeFrame(0, { id: 2 ** 52, heard: true, full: false, t1: 5 }));
	expect(read(carrier.take()).map((f) => f.type)).toEqual([TYPE_ECHO]);
	env.advance(2_399);
	expect(carrier.take()).toEqual([]);
	env.advance(1);
	expect(read(carrier.take()).map((f) => f.type)).toEqual([TYPE_PROBE]);
	// While nothing is heard it goes on asking, so that one answer that is lost is not the end.
	env.advance(799);
	expect(carrier.take()).toEqual([]);
	env.advance(1);
	expect(read(carrier.take()).map((f) => f.type)).toEqual([TYPE_PROBE]);
});

test("what it says itself is no sign of life of the server", () => {
	const carrier = connect();
	welcomed(carrier);
	for (let i = 0; i < 5; i++) {
		env.advance(500);
		link.current?.signal(0, { type: "watch" });
	}
	const probes = () => read(carrier.take()).filter((f) => f.type === TYPE_PROBE).length;
	expect(probes()).toBe(0);
	env.advance(799);
	expect(probes()).toBe(0);
	env.advance(1);
	expect(probes()).toBe(1);
});

test("a link that is silent for 4.5 s is dead, and is made again", () => {
	const carrier = connect();
	carrier.hear(welcome);
	env.advance(4_499);
	expect(carrier.closed).toBe(false);
	env.advance(1);
	expect(carrier.closed).toBe(true);
	expect(log.at(-1)).toBe("down silent: nothing was heard from the server, 999");
	env.advance(999);
	expect(dialled.rungs()).toBe("ws ws");
});

/** welcomed lets the server in and answer the first probe after a round trip of 20 ms. */
function welcomed(carrier: FakeCarrier): void {
	carrier.hear(welcome);
	env.advance(20);
	answers(carrier);
}

function answers(carrier: FakeCarrier): void {
	for (const frame of read(carrier.take())) {
		if (frame.type !== TYPE_PROBE) continue;
		const wall = env.wall();
		carrier.hear(echoFrame(0, { ...parseProbe(frame.body), heard: true, t2: wall, t3: wall }));
	}
}

test("whoever nudges it gets a sign of life soon; otherwise another line is made beside it, and taken when it is there", () => {
	const carrier = connect();
	welcomed(carrier);
	link.nudge();
	env.advance(199);
	answers(carrier);
	env.advance(1_000);
	link.nudge();
	env.advance(199);
	expect(dialled.rungs()).toBe("ws");
	env.advance(1);
	expect(dialled.rungs()).toBe("ws ws");
	expect(carrier.closed).toBe(false);
	dialled.newest().hear(welcome);
	expect(log.slice(1)).toEqual(["up viewer true", "up viewer false"]);
	env.advance(2_000);
	expect(carrier.closed).toBe(true);
});

test("on a slow way it has twice its round trip, and half a second while that is not known", () => {
	const carrier = connect();
	carrier.hear(welcome);
	link.nudge();
	env.advance(499);
	expect(dialled.rungs()).toBe("ws");
	env.advance(1);
	expect(dialled.rungs()).toBe("ws ws");
	const other = dialled.newest();
	other.hear(welcome);
	env.advance(300);
	answers(other);
	link.nudge();
	env.advance(699);
	expect(dialled.rungs()).toBe("ws ws");
	env.advance(1);
	expect(dialled.rungs()).toBe("ws ws ws");
});

test("one in doubt that was only slow goes on where no other comes", () => {
	const carrier = connect();
	welcomed(carrier);
	link.suspect();
	env.advance(200);
	dialled.newest().ends(cut);
	env.advance(400);
	carrier.hear(said(0, { type: "devices", devices: [] }));
	expect(log).toEqual(["connecting", "up viewer true", "devices"]);
	expect(link.current?.rung).toBe("ws");
});

test("one in doubt that is over gives way to the one that is under way, and no time is lost", () => {
	const carrier = connect();
	welcomed(carrier);
	link.suspect();
	env.advance(200);
	carrier.ends(cut);
	expect(log.at(-1)).toBe("down : the connection was cut, 0");
	expect(dialled.rungs()).toBe("ws ws");
	dialled.newest().hear(welcome);
	expect(log.at(-1)).toBe("up viewer false");
});

test("where a direct path has gone with it, it is made again at once", () => {
	const carrier = connect();
	welcomed(carrier);
	carrier.ends(cut);
	expect(log.at(-1)).toBe("down : the connection was cut, 999");
	link.suspect();
	env.advance(0);
	expect(dialled.rungs()).toBe("ws ws");
	welcomed(dialled.newest());
	link.suspect();
	dialled.newest().ends(cut);
	env.advance(0);
	expect(dialled.rungs()).toBe("ws ws ws");
});

test("a code decides when it is tried again", () => {
	const carrier = connect();
	carrier.hear(welcome);
	carrier.ends(refused("draining", "restarting"));
	expect(log.at(-1)).toBe("down draining: restarting, 999");
	env.advance(1_000);
	dialled.newest().ends(refused("unauthorized"));
	expect(log.at(-1)).toBe("down unauthorized: , never");
	env.advance(600_000);
	expect(dialled.rungs()).toBe("ws ws");
});

test("a refuse signal says more than the close code", () => {
	const carrier = connect();
	carrier.hear(said(0, { type: "refuse", code: "rate-limited", reason: "too often", remedy: "wait" }));
	carrier.ends(refused("rate-limited"));
	expect(log.at(-1)).toBe("down rate-limited: too often, 250");
});

test("by itself it ends nothing, and is not the reason of what comes later", () => {
	const carrier = connect();
	carrier.hear(welcome, said(0, { type: "refuse", code: "forbidden", reason: "not this", remedy: "" }));
	env.advance(900);
	expect(link.current).not.toBeNull();
	carrier.ends(cut);
	expect(log.at(-1)).toBe("down : the connection was cut, 999");
	env.advance(1_000);
	const next = dialled.newest();
	next.hear(welcome, said(0, { type: "refuse", code: "malformed", reason: "not that", remedy: "" }));
	env.advance(1_001);
	next.ends(refused("malformed", "enough"));
	expect(log.at(-1)).toBe("down malformed: enough, 250");
});

test("the signal end is what a close frame is elsewhere", () => {
	const carrier = connect();
	carrier.hear(welcome, said(0, { type: "end", code: "draining", reason: "restarting" }), said(1, { type: "retry" }));
	expect(log.at(-1)).toBe("down draining: restarting, 999");
	env.advance(1_000);
	dialled.newest().hear(welcome, said(0, { type: "end" }));
	expect(log.at(-1)).toBe("down : the connection was cut, 999");
});

test("a server that cannot be reached is tried twice at once, then later and later", () => {
	let carrier = connect();
	const pauses = [];
	for (let i = 0; i < 4; i++) {
		carrier.ends(cut);
		const before = env.time;
		while (dialled.newest() === carrier) env.advance(1);
		pauses.push(env.time - before);
		carrier = dialled.newest();
	}
	expect(pauses).toEqual([999, 999, 1000, 1999]);
});

test("what comes on a carrier that was given up has no effect", () => {
	const first = connect();
	connect("http://other/v1/link");
	first.hear(welcome);
	first.ends(cut);
	expect(first.closed).toBe(true);
	expect(link.current).toBeNull();
	expect(dialled.newest().request.url).toBe("http://other/v1/link");
	expect(log).toEqual(["connecting", "connecting"]);
	link.close();
	env.advance(60_000);
	expect(dialled.rungs()).toBe("ws ws");
});

test("a full queue refuses what is repeated anyway before what must arrive", () => {
	const carrier = connect();
	carrier.hear(welcome);
	carrier.queued = 100_000;
	expect(link.current?.send(new Uint8Array(10), false)).toBe(false);
	expect(link.current?.send(new Uint8Array(10), true)).toBe(true);
	carrier.queued = 2_000_000;
	expect(link.current?.send(new Uint8Array(10), true)).toBe(false);
});

test("unreadable frames harm nothing else", () => {
	const carrier = connect();
	carrier.hear(said(0, { type: "devices", devices: 7 }), new Uint8Array([2, 4, 0]), welcome, new Uint8Array([99, 1]));
	expect(log).toContain("up viewer true");
});
