import { beforeEach, expect, test } from "vitest";
import { CHANNELS } from "../carrier/channels";
import { mayUse, type Rung } from "../ladder";
import type { FromViewer } from "../signal";
import { FakeChannel, TestEnv } from "../testing";
import { FAILURES } from "../words";
import { Direct } from "./direct";
import { Paths } from "./paths";

let env: TestEnv;
let made: number;
let asked: string[];
let told: FromViewer[];
let stale: number;
let only: Rung[];
let paths: Paths;
let direct: Direct;

beforeEach(beginAnew);

function beginAnew(): void {
	env = new TestEnv();
	made = 0;
	asked = [];
	told = [];
	stale = 0;
	only = [];
	paths = new Paths(env, { onReplace: (id) => direct.replace(id), onProved: (id) => direct.proved(id) });
	direct = new Direct({
		env,
		paths,
		assistant: {
			number: () => ++made,
			create: (n, through) => asked.push(`create ${n}${through === null ? "" : ` through ${through[0]?.urls}`}`),
			answer: (n, sdp) => asked.push(`answer ${n} ${sdp}`),
			candidate: (n, candidate) => asked.push(`candidate ${n} ${candidate}`),
			close: (n) => asked.push(`close ${n}`),
		},
		may: (rung) => mayUse(rung, only),
		signal: (message) => told.push(message),
		onStale: () => stale++,
		onPacket: () => undefined,
		onChange: () => undefined,
	});
}

/** connect takes an attempt to open channels; its path. */
function connect(attempt: number, rung: Rung = "udp"): number {
	const channels = CHANNELS.map(({ id }) => new FakeChannel(id));
	direct.channels(attempt, channels as unknown as RTCDataChannel[]);
	for (const channel of channels) channel.opens();
	const path = paths.on(rung)[0];
	if (path === undefined) throw new Error("no path");
	return path.id;
}

test("offer and candidates wait, in order, until the server knows the Conn", () => {
	direct.step();
	expect(asked).toEqual(["create 1"]);
	direct.offered(1, "sdp");
	direct.found(1, "candidate:1", "0");
	expect(told).toEqual([]);
	direct.announce(true);
	direct.found(1, "", "0");
	expect(told.map((m) => m.type)).toEqual(["offer", "candidate", "candidate"]);
	direct.answered(1, "back");
	direct.candidate(1, "theirs", "0");
	direct.answered(7, "of no attempt");
	expect(asked).toEqual(["create 1", "answer 1 back", "candidate 1 theirs"]);
});

test("an offer that rode in the link's request is not said again, unless that link ends before it is answered", () => {
	direct.step();
	expect(direct.offering).toBe(true);
	expect(direct.untold()).toBeNull();
	direct.offered(1, "sdp");
	direct.found(1, "candidate:1", "0");
	expect(direct.offering).toBe(false);
	expect(direct.untold()).toEqual({ attempt: 1, sdp: "sdp" });
	direct.announce(true, 1);
	expect(told.splice(0).map((m) => m.type)).toEqual(["candidate"]);
	direct.announce(false);
	expect(direct.untold()).not.toBeNull();
	direct.announce(true);
	expect(told.splice(0).map((m) => m.type)).toEqual(["offer", "candidate"]);
	direct.answered(1, "back");
	expect(direct.untold()).toBeNull();
});

test("an attempt that finds no way is closed, and says why", () => {
	direct.announce(true);
	direct.step();
	env.advance(10_000);
	direct.step();
	expect(asked).toEqual(["create 1", "close 1"]);
	expect(direct.attempts("direct").reason).toBe(FAILURES.timeout);
	env.advance(1_000);
	direct.step();
	expect(asked.at(-1)).toBe("create 2");
	direct.state(2, "failed", null);
	expect(direct.attempts("direct").reason).toBe(FAILURES.ice);
});

test("nothing is begun while it is of no use", () => {
	direct.allow("direct", false);
	expect(direct.step()).toBe(Infinity);
	expect(asked).toEqual([]);
});

/** overlap lets the time pass for which a connection is kept beside its successor. */
function overlap(): void {
	env.advance(1_000);
	direct.step();
}

test("a successor is built beside the old one, which is closed a second after the new one is proven", () => {
	direct.step();
	const old = connect(1);
	direct.proved(old);
	direct.replace(old);
	direct.step();
	expect(asked).toEqual(["create 1", "create 2"]);
	const young = connect(2);
	expect(paths.on("udp").map((p) => p.id)).toEqual([young, old]);
	direct.proved(young);
	expect(direct.step()).toBe(env.now() + 1_000);
	expect(paths.on("udp").map((p) => p.id)).toEqual([young, old]); // what is under way is to come
	overlap();
	expect(paths.on("udp").map((p) => p.id)).toEqual([young]);
	expect(asked.at(-1)).toBe("close 1");
});

test("the pair's rung is the path's", () => {
	direct.step();
	const path = connect(1);
	direct.state(1, "connected", { local: "host a", remote: "host b", rung: "tcp" });
	expect(paths.get(path)?.rung).toBe("tcp");
	expect(direct.pair(path)).toBe("host a ↔ host b");
});

test("channels of an attempt that was given up are closed", () => {
	const channel = new FakeChannel(0);
	direct.channels(9, [channel as unknown as RTCDataChannel]);
	expect(channel.readyState).toBe("closed");
});

test("looking again ends a pause; another network ends what is being made, and puts a successor beside what stands", () => {
	direct.step();
	direct.failNow(1, FAILURES.ice);
	direct.step();
	expect(asked).toEqual(["create 1", "close 1"]);
	direct.nudge(false);
	direct.step();
	direct.nudge(false);
	direct.step();
	expect(asked.splice(0)).toEqual(["create 1", "close 1", "create 2"]);
	direct.nudge(true);
	direct.step();
	expect(asked.splice(0)).toEqual(["close 2", "create 3"]);
	direct.proved(connect(3));
	direct.nudge(false);
	direct.step();
	expect(asked).toEqual([]);
	direct.nudge(true);
	direct.step();
	expect(asked).toEqual(["create 4"]);
	direct.proved(connect(4));
	overlap();
	expect(asked).toEqual(["create 4", "close 3"]);
});

const server = { urls: ["turn:h:1?transport=udp"], username: "u", credential: "c" };

/** turned is a Direct whose first direct attempt is under way, and which may make turned ones. */
function turned(): void {
	direct.announce(true);
	direct.tell([server]);
	direct.allow("turned", true);
	direct.accepted();
	direct.step();
	asked.length = 0;
}

/** proves lets a path be proven, and go on being so. */
function proves(path: number): void {
	paths.accepted(path);
	direct.proved(path);
	paths.step();
}

test("a turned connection is begun when no direct one works for 2 s, and said to be one", () => {
	turned();
	env.advance(1_999);
	expect(direct.step()).toBe(env.now() + 1);
	expect(asked).toEqual([]);
	env.advance(1);
	direct.step();
	expect(asked).toEqual(["create 2 through turn:h:1?transport=udp"]);
	direct.offered(2, "sdp");
	expect(told).toEqual([{ type: "offer", attempt: 2, sdp: "sdp", turned: true }]);
	proves(connect(2, "turn-udp"));
	expect(direct.works("turned")).toBe(true);
	expect(direct.works("direct")).toBe(false);
});

test("it is a spare for a minute beside a direct one that works, and no reason to give that up", () => {
	turned();
	env.advance(2_000);
	direct.step();
	proves(connect(2, "turn-udp"));
	const path = connect(1);
	proves(path);
	expect(asked.splice(0)).toEqual(["create 2 through turn:h:1?transport=udp"]);
	for (let second = 0; second < 60; second++) {
		expect(direct.step()).toBeLessThan(Infinity);
		env.advance(1_000);
		proves(path);
	}
	expect(asked).toEqual([]);
	direct.step();
	expect(asked).toEqual(["close 2"]);
	expect(direct.works("direct")).toBe(true);
});

test("no turned one is made beside a direct one, without servers, or for a device that has none", () => {
	turned();
	proves(connect(1));
	env.advance(500);
	direct.step();
	expect(asked).toEqual([]);
	direct.failNow(1, FAILURES.closed);
	direct.tell([]);
	env.advance(60_000);
	direct.step();
	direct.tell([server]);
	direct.allow("turned", false);
	direct.step();
	expect(asked.filter((what) => what.includes("through"))).toEqual([]);
});

test("credentials that are old are asked for again before they are used", () => {
	turned();
	proves(connect(1));
	for (let second = 0; second < 601; second++) {
		env.advance(1_000);
		proves(paths.on("udp")[0]?.id ?? 0);
		direct.step();
	}
	direct.failNow(1, FAILURES.closed);
	env.advance(2_000);
	direct.step();
	expect(stale).toBe(1);
	expect(asked.filter((what) => what.includes("through"))).toEqual([]);
	direct.tell([{ ...server, urls: ["turn:h:2"] }]);
	direct.step();
	expect(asked.at(-1)).toBe("create 3 through turn:h:2");
});

test("what keeps it from being made has a name", () => {
	turned();
	env.advance(2_000);
	direct.step();
	direct.state(2, "failed", null);
	expect(direct.attempts("turned").reason).toBe(FAILURES.turnUnreachable);
	env.advance(1_000);
	direct.step();
	direct.found(3, "candidate:1 1 udp 1 192.0.2.1 9 typ relay raddr 0.0.0.0 rport 0", "0");
	direct.state(3, "failed", null);
	expect(direct.attempts("turned").reason).toBe(FAILURES.turnNoPath);
});

test("never more than two of a kind", () => {
	direct.step();
	proves(connect(1));
	for (let n = 2; n < 6; n++) {
		direct.retry("direct");
		expect(direct.step() - env.now()).toBe(5_000);
		env.advance(5_000);
		direct.step();
		connect(n);
	}
	expect(direct.attempts("direct").numbers()).toEqual([1, 5]);
	expect(asked.filter((what) => what.startsWith("close"))).toEqual(["close 2", "close 3", "close 4"]);
});

const udp = "candidate:1 1 udp 1 192.0.2.1 50000 typ host";
const tcp = "candidate:2 1 tcp 1 192.0.2.1 4433 typ host tcptype passive";
const active = "candidate:3 1 tcp 1 192.0.2.9 9 typ host tcptype active";
const pairOn = (rung: Rung) => ({ local: "l", remote: "r", rung });

test("no more than twenty of the device's candidates are tried in one attempt", () => {
	direct.announce(true);
	direct.step();
	const line = (n: number) => `candidate:${n} 1 udp 1 192.0.2.1 ${50_000 + n} typ host`;
	const lines = Array.from({ length: 15 }, (_, n) => `a=${line(n)}\r\n`).join("");
	direct.candidate(1, tcp, "0"); // is not tried, and does not count
	direct.answered(1, `v=0\r\n${lines}`);
	for (let n = 15; n < 1_000; n++) direct.candidate(1, line(n), "0");
	direct.candidate(1, "", "0");
	const tried = Array.from({ length: 5 }, (_, n) => `candidate 1 ${line(15 + n)}`);
	expect(asked).toEqual(["create 1", `answer 1 v=0\r\n${lines}`, ...tried, "candidate 1 "]);
	direct.state(1, "failed", null);
	env.advance(1_000);
	direct.step();
	direct.answered(2, `v=0\r\n${lines}${lines}`);
	expect(asked.at(-1)?.split("candidate:").length).toBe(21);
});

test("where a device listens over TCP it is met there, if that is asked for", () => {
	direct.announce(true);
	direct.step();
	direct.answered(1, `v=0\r\na=${udp}\r\na=${tcp}\r\n`);
	direct.candidate(1, tcp, "0");
	direct.candidate(1, "", "0");
	expect(asked).toEqual(["create 1", `answer 1 v=0\r\na=${udp}\r\n`, "candidate 1 "]);
	expect(direct.listens).toBe(true);
	direct.state(1, "failed", null);
	expect(direct.attempts("direct").reason).toBe(FAILURES.ice);

	only = ["tcp", "ws"];
	env.advance(1_000);
	direct.step();
	told = [];
	asked = [];
	direct.found(2, udp, "0");
	direct.found(2, active, "0");
	direct.found(2, "", "0");
	expect(told.length).toBe(1);
	direct.candidate(2, udp, "0");
	direct.candidate(2, active, "0");
	direct.candidate(2, tcp, "0");
	expect(asked).toEqual([`candidate 2 ${tcp}`]);
	direct.state(2, "failed", null);
	expect(direct.attempts("direct").reason).toBe(FAILURES.tcp);
});

test("beside what goes over TCP one over UDP is looked for", () => {
	only = ["udp", "tcp", "ws"];
	direct.announce(true);
	direct.step();
	direct.state(1, "connected", pairOn("tcp"));
	const path = connect(1, "tcp");
	paths.accepted(path);
	direct.proved(path);
	direct.step();
	expect(asked).toEqual(["create 1"]);
	let fresh = "";
	for (let waited = 0; fresh === "" && waited < 30_000; waited += 100) {
		env.advance(100);
		paths.heard(path);
		paths.step();
		direct.step();
		fresh = asked[1] ?? "";
		if (waited < 9_000) expect(fresh).toBe("");
	}
	expect(fresh).toBe("create 2");
	direct.candidate(2, tcp, "0");
	direct.candidate(2, udp, "0");
	expect(asked.slice(2)).toEqual([`candidate 2 ${udp}`]);
	direct.state(2, "connected", pairOn("udp"));
	const better = connect(2);
	direct.step();
	direct.proved(better);
	overlap();
	expect(asked.at(-1)).toBe("close 1");
});

test("beside what goes through TURN over TCP one over UDP is looked for, where there is such a server", () => {
	for (const urls of [["turn:h:1?transport=udp", "turn:h:1?transport=tcp"], ["turn:h:1?transport=tcp"]]) {
		turned();
		direct.tell([{ ...server, urls }]);
		env.advance(2_000);
		direct.step();
		const first = made;
		direct.state(first, "connected", pairOn("turn-tcp"));
		const path = connect(first, "turn-tcp");
		proves(path);
		asked = [];
		for (let waited = 0; waited < 12_000; waited += 100) {
			env.advance(100);
			paths.heard(path);
			paths.step();
			direct.step();
			if (waited < 9_000) expect(asked.filter((line) => line.includes("through"))).toEqual([]);
		}
		const again = asked.filter((line) => line.includes("through"));
		expect(again).toEqual(urls.length === 1 ? [] : [expect.stringMatching(/through turn:h:1\?transport=udp$/)]);
		direct.dispose();
		beginAnew();
	}
});

test("what was not answered may be lost with the link, and is told again on the next; an answer counts once", () => {
	direct.announce(true);
	direct.step();
	direct.offered(1, "sdp");
	direct.announce(false);
	direct.found(1, "candidate:1", "0");
	direct.announce(true);
	expect(told.map((m) => m.type)).toEqual(["offer", "offer", "candidate"]);
	direct.answered(1, "back");
	direct.answered(1, "back");
	expect(asked).toEqual(["create 1", "answer 1 back"]);
	direct.announce(true);
	expect(told).toHaveLength(3);
});

test("a connection that fell silent before the device accepted on the link there is gets its successor at once", () => {
	direct.announce(true);
	direct.step();
	const path = connect(1);
	paths.accepted(path); // a proof
	env.advance(100);
	paths.step();
	direct.accepted();
	direct.step();
	expect(asked).toEqual(["create 1"]);
	env.advance(1_300);
	paths.step();
	direct.step();
	expect(paths.state(path).inDoubt).toBe(true);
	direct.step();
	expect(asked).toEqual(["create 1", "create 2"]);
	env.advance(100);
	direct.step();
	expect(asked).toHaveLength(2);
});

test("one that was heard since has its time", () => {
	direct.announce(true);
	direct.step();
	const path = connect(1);
	paths.accepted(path);
	direct.accepted();
	paths.step();
	env.advance(100);
	paths.heard(path);
	env.advance(1_500);
	paths.step();
	direct.step();
	expect(paths.state(path).inDoubt).toBe(true);
	expect(asked).toEqual(["create 1"]);
});
