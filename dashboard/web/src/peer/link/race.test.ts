import { beforeEach, expect, test } from "vitest";
import { Dialled, type FakeCarrier } from "../carrier/fake.testing";
import type { LinkRung } from "../carrier/link-carrier";
import { type FailureName, failure } from "../failures";
import { TestEnv } from "../testing";
import { said } from "../testing-signal";
import { Link, type Target } from "./link";
import type { Asked } from "./race";
import type { Carried } from "./verdicts";

const welcome = said(0, { type: "welcome", server: "s", role: "viewer", time: 1 });
const unauthorized = { code: "unauthorized", reason: "the token is wrong", remedy: "paste another" };
const TEN_MINUTES = 600_000;

let env: TestEnv;
let dialled: Dialled;
let log: string[];
let carried: Carried | null;
let answer: Asked;
let link: Link;

beforeEach(() => {
	env = new TestEnv();
	dialled = new Dialled();
	log = [];
	carried = null;
	answer = { refusal: null, reached: true };
	link = new Link({
		env,
		opening: () => ({ type: "open", device: "pi", id: "i" }),
		why: async () => answer,
		dial: dialled.dial,
		events: {
			onConnecting: () => undefined,
			onUp: (_, line) => log.push(`up ${line.rung}`),
			onDown: ({ code, reason }) => log.push(`down ${code}: ${reason}`),
			onFrame: (frame, line) => log.push(`${line.rung} ${frame.hop.conn}`),
			onPacketEnd: () => undefined,
			onSignal: () => undefined,
			onSettled: () => log.push("settled"),
			onCarried: (now) => {
				carried = now;
			},
		},
	});
});

function connect(how: Partial<Target> = {}): void {
	link.connect({ url: "http://host/v1/link", token: "", ...how });
	env.advance(0);
}

const on = (rung: LinkRung): FakeCarrier => dialled.newest(rung);
const fails = (rung: LinkRung, name: FailureName) => on(rung).ends({ failure: failure(name) });
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** keepsTalking lets time pass on a link whose server says something. */
function keepsTalking(rung: LinkRung, ms: number): void {
	for (let left = ms; left > 0; left -= 1_000) {
		env.advance(Math.min(1_000, left));
		on(rung).hear(said(0, { type: "devices", devices: [] }));
	}
}

test("the rungs are tried 300 ms apart, and the first with a frame of the server is the link", () => {
	connect();
	env.advance(299);
	expect(dialled.rungs()).toBe("ws");
	env.advance(1);
	expect(dialled.rungs()).toBe("ws sse");
	env.advance(300);
	expect(dialled.rungs()).toBe("ws sse poll");
	on("ws").hear(welcome);
	expect(log).toEqual(["up ws"]);
	expect([on("sse").closed, on("poll").closed, on("ws").closed]).toEqual([true, true, false]);
	expect(carried).toBeNull();
});

test("on a slow way they are tried further apart, and one that was overtaken has longer to show that it works", () => {
	connect({ connectMs: 400 });
	env.advance(1_499);
	expect(dialled.rungs()).toBe("ws");
	env.advance(1);
	expect(dialled.rungs()).toBe("ws sse");
	on("sse").hear(welcome);
	env.advance(3_199);
	expect(link.standing("ws").state).toBe("trying");
	env.advance(1);
	expect(link.standing("ws").failure?.name).toBe("upgrade-stalled");
});

test("however slow connecting was, the next one is tried after three seconds", () => {
	connect({ connectMs: 60_000 });
	env.advance(2_999);
	expect(dialled.rungs()).toBe("ws");
	env.advance(1);
	expect(dialled.rungs()).toBe("ws sse");
});

test("only the first request carries the open", () => {
	connect();
	env.advance(600);
	expect(dialled.carriers.map((c) => c.opened)).toEqual([true, false, false]);
});

test("the next is tried at once when one fails", async () => {
	connect();
	fails("ws", "upgrade-refused");
	expect(dialled.rungs()).toBe("ws sse");
	fails("sse", "not-telepath");
	expect(dialled.rungs()).toBe("ws sse poll");
	on("poll").hear(welcome);
	await settled();
	expect(log).toEqual(["up poll"]);
	expect(link.standing("ws").failure?.name).toBe("upgrade-refused");
	expect(link.standing("sse").failure?.name).toBe("not-telepath");
	expect(carried).toMatchObject({ rung: "poll", failures: { ws: "upgrade-refused", sse: "not-telepath" } });
});

test("a refusal ends the race at once, on whatever rung it comes", async () => {
	answer = { refusal: unauthorized, reached: true };
	connect();
	fails("ws", "upgrade-refused");
	await settled();
	expect(log).toEqual(["down unauthorized: the token is wrong"]);
	expect(on("sse").closed).toBe(true);
	connect();
	env.advance(300);
	on("sse").ends({ refusal: unauthorized });
	expect(log).toHaveLength(2);
	expect(on("ws").closed).toBe(true);
});

test("where nothing works, it is said what did happen, and tried again", async () => {
	answer = { refusal: null, reached: false };
	connect();
	fails("ws", "upgrade-refused");
	fails("sse", "unanswered");
	fails("poll", "unanswered");
	await settled();
	expect(log).toEqual([`down : ${failure("unanswered").reason}`]);
	expect(link.standing("ws").failure?.name).toBe("unanswered");
	env.advance(1_000);
	expect(dialled.rungs()).toBe("ws sse poll ws");
	env.advance(600);
	expect(dialled.rungs()).toBe("ws sse poll ws sse poll");
});

test("a better rung that is still on its way is waited for, beside the link", () => {
	connect();
	env.advance(300);
	on("sse").hear(welcome);
	expect([on("ws").closed, link.standing("ws").state]).toEqual([false, "trying"]);
	on("ws").hear(welcome);
	expect(log).toEqual(["up sse", "up ws"]);
	expect(carried).toBeNull();
});

test("one that is mute is named when that is sure", () => {
	connect();
	env.advance(300);
	on("sse").hear(welcome);
	env.advance(1_700);
	fails("ws", "upgrade-stalled");
	expect(link.standing("ws")).toEqual({ state: "failed", failure: failure("upgrade-stalled") });
	expect(carried).toMatchObject({ rung: "sse", failures: { ws: "upgrade-stalled" } });
});

test("one that does not even answer while another works is held back by something", () => {
	connect();
	fails("ws", "cut");
	env.advance(300);
	on("poll").hear(welcome);
	expect(link.standing("sse").state).toBe("trying");
	env.advance(2_000);
	expect(link.standing("sse").failure?.name).toBe("stream-buffered");
	expect(on("sse").closed).toBe(true);
	expect(carried).toMatchObject({ rung: "poll", failures: { ws: "cut", sse: "stream-buffered" } });
});

test("the line that is left is heard for a moment longer, and then closed", () => {
	connect();
	env.advance(300);
	on("sse").hear(welcome);
	on("ws").hear(welcome);
	on("sse").hear(said(7, { type: "retry" }));
	expect(log).toEqual(["up sse", "up ws", "sse 7"]);
	env.advance(2_000);
	expect([on("sse").closed, on("ws").closed]).toEqual([true, false]);
	expect(log.at(-1)).toBe("sse 7");
	env.advance(600);
	expect(log.at(-1)).toBe("settled");
});

test("a second visit begins with the rung that carried", () => {
	const since = env.wall() / 1000 - 1_000;
	connect({ carried: { rung: "poll", since, failures: { ws: "upgrade-refused", sse: "stream-buffered" } } });
	expect(dialled.rungs()).toBe("poll");
	expect(on("poll").opened).toBe(true);
	on("poll").hear(welcome);
	env.advance(1_000);
	expect(dialled.rungs()).toBe("poll");
	expect(link.standing("sse").failure?.name).toBe("stream-buffered");
	expect(carried).toBeNull(); // nothing new is told
});

test("what was known ten minutes ago is not known any more", () => {
	connect({ carried: { rung: "poll", since: env.wall() / 1000 - TEN_MINUTES, failures: { ws: "upgrade-refused" } } });
	expect(dialled.rungs()).toBe("ws");
	expect(link.standing("ws").failure).toBeNull();
});

test("after ten minutes the better rungs are tried again, beside the link", () => {
	connect({ carried: { rung: "sse", since: env.wall() / 1000 - TEN_MINUTES + 5_000, failures: {} } });
	on("sse").hear(welcome);
	keepsTalking("sse", 4_999);
	expect(dialled.rungs()).toBe("sse");
	keepsTalking("sse", 1_000);
	expect(dialled.rungs()).toBe("sse ws");
	expect(on("ws").opened).toBe(false);
	fails("ws", "upgrade-stalled");
	expect(log).toEqual(["up sse"]);
	expect(carried).toMatchObject({ rung: "sse", since: env.wall() / 1000, failures: { ws: "upgrade-stalled" } });
	keepsTalking("sse", TEN_MINUTES);
	expect(dialled.rungs()).toBe("sse ws ws");
	on("ws").hear(welcome);
	expect(log).toEqual(["up sse", "up ws"]);
});

test("a nudge tries them earlier, but not again and again; a refusal there harms the link as little as anything", () => {
	connect();
	fails("ws", "cut");
	on("sse").hear(welcome);
	link.nudge();
	on("sse").hear(said(0, { type: "devices", devices: [] })); // it proves itself
	expect(dialled.rungs()).toBe("ws sse");
	keepsTalking("sse", 10_000);
	link.nudge();
	link.nudge();
	expect(dialled.rungs()).toBe("ws sse ws");
	on("ws").ends({ refusal: { code: "too-many", reason: "", remedy: "" } });
	expect(log).toEqual(["up sse"]);
	expect(link.current?.rung).toBe("sse");
});

test("a rung that falls silent again and again is tried last", () => {
	connect();
	for (let i = 0; i < 2; i++) {
		on("ws").hear(welcome);
		env.advance(4_500 + 1_000);
	}
	expect(dialled.rungs()).toBe("ws ws sse");
	expect(link.standing("ws").failure?.name).toBe("upgrade-stalled");
	on("sse").hear(welcome);
	expect(log.at(-1)).toBe("up sse");
});

test("a link whose TLS something opens is used, and named for it", () => {
	connect();
	on("ws").hear(said(0, { type: "welcome", server: "s", role: "viewer", time: 1, intercepted: true }));
	expect(link.standing("ws")).toEqual({ state: "use", failure: failure("tls-intercepted") });
	expect(carried).toBeNull();
});

test("only the rungs that are asked for are tried", () => {
	connect({ only: ["poll", "sse"] });
	env.advance(10_000);
	expect(dialled.rungs()).toBe("sse poll");
	expect(link.standing("ws").state).toBe("excluded");
});
