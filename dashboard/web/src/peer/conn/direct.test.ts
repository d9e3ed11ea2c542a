import { beforeEach, expect, test } from "vitest";
import { CHANNELS } from "../carrier/channels";
import type { FromViewer } from "../signal";
import { FakeChannel, TestEnv } from "../testing";
import { FAILURES } from "../words";
import { Direct } from "./direct";
import { Paths } from "./paths";

let env: TestEnv;
let made: number;
let asked: string[];
let told: FromViewer[];
let paths: Paths;
let direct: Direct;

beforeEach(() => {
	env = new TestEnv();
	made = 0;
	asked = [];
	told = [];
	paths = new Paths(env, { onReplace: (id) => direct.replace(id), onProved: (id) => direct.proved(id) });
	direct = new Direct({
		env,
		paths,
		assistant: {
			number: () => ++made,
			create: (n) => asked.push(`create ${n}`),
			answer: (n, sdp) => asked.push(`answer ${n} ${sdp}`),
			candidate: (n, candidate) => asked.push(`candidate ${n} ${candidate}`),
			close: (n) => asked.push(`close ${n}`),
		},
		signal: (message) => told.push(message),
		onPacket: () => undefined,
		onChange: () => undefined,
	});
});

/** connect takes an attempt to open channels; its path. */
function connect(attempt: number): number {
	const channels = CHANNELS.map(({ id }) => new FakeChannel(id));
	direct.channels(attempt, channels as unknown as RTCDataChannel[]);
	for (const channel of channels) channel.opens();
	const path = paths.on("udp")[0];
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

test("an attempt that finds no way is closed, and says why", () => {
	direct.announce(true);
	direct.step();
	env.advance(10_000);
	direct.step();
	expect(asked).toEqual(["create 1", "close 1"]);
	expect(direct.attempts.reason).toBe(FAILURES.timeout);
	env.advance(1_000);
	direct.step();
	expect(asked.at(-1)).toBe("create 2");
	direct.state(2, "failed", null);
	expect(direct.attempts.reason).toBe(FAILURES.ice);
});

test("nothing is begun while it is of no use", () => {
	direct.allow(false);
	expect(direct.step()).toBe(Infinity);
	expect(asked).toEqual([]);
});

test("a successor is built beside the old one, which is closed when the new one is proven", () => {
	direct.step();
	const old = connect(1);
	direct.proved(old);
	direct.replace(old);
	direct.step();
	expect(asked).toEqual(["create 1", "create 2"]);
	const young = connect(2);
	expect(paths.on("udp").map((p) => p.id)).toEqual([young, old]);
	direct.proved(young);
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
	expect(asked).toEqual(["create 4", "close 3"]);
});
