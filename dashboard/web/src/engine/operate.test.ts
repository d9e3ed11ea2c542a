import { beforeEach, expect, test } from "vitest";
import { Dialled } from "../peer/carrier/fake.testing";
import { failure } from "../peer/failures";
import { keyFor } from "../peer/rpc";
import { TestEnv } from "../peer/testing";
import { read, said, signals } from "../peer/testing-signal";
import {
	appendFrame,
	appendTick,
	hop,
	parseDrive,
	TYPE_COMMAND,
	TYPE_DRIVE,
	TYPE_OUTCOME,
	TYPE_TICK,
	Writer,
} from "../peer/wire";
import type { FromWorker } from "../port";
import { Engine } from "./engine";

// A machine at the other end of a link, as an engine and its page have it.

const pi = { id: "aa", name: "pi", state: "live", since: 1, session: 1 };
const MACHINE = {
	name: "rover",
	axes: [{ id: 1, name: "speed", min: -1, max: 1, neutral: 0 }],
	methods: [{ name: "honk" }],
};

let env: TestEnv;
let posted: FromWorker[];
let dialled: Dialled;
let engine: Engine;

function begin(role: string, onPage = false): void {
	env = new TestEnv();
	posted = [];
	dialled = new Dialled();
	engine = new Engine({
		env,
		post: (message) => posted.push(message),
		archive: null,
		why: async () => ({ refusal: null, reached: true }),
		dial: dialled.dial,
		onPage,
	});
	engine.handle({ type: "control.identity", key: "secret", name: "Ada" });
	engine.handle({ type: "open", device: "pi", only: ["ws"] });
	engine.handle({ type: "connect", url: "ws://h/v1/link", token: "", only: ["ws"] });
	env.advance(0);
	const { id } = dialled.newest().request.open as { id: string };
	hear(said(0, { type: "welcome", server: "s", role, time: 1 }));
	hear(said(1, { type: "opened", device: pi }), said(1, { type: "accept", id, epoch: "0000000a", now: 0 }));
}

const hear = (...frames: Uint8Array[]) => dialled.newest("ws").hear(...frames);
const frame = (type: number, body: Uint8Array) => appendFrame(new Writer(), type, hop({ conn: 1 }), body).finish();
const outcome = (value: object) => frame(TYPE_OUTCOME, new TextEncoder().encode(JSON.stringify(value)));
const tick = (at: number) => frame(TYPE_TICK, appendTick(new Writer(), { epoch: 9, at }).finish());

/** sent takes the frames of a type that were sent. */
const sent = (type: number) => read(dialled.newest("ws").take()).filter((one) => one.type === type);
const commands = () =>
	sent(TYPE_COMMAND).map(({ hop: { priority }, body }) => ({
		priority,
		...JSON.parse(new TextDecoder().decode(body)),
	}));
const last = <T extends FromWorker["type"]>(type: T) =>
	posted.findLast((message) => message.type === type) as Extract<FromWorker, { type: T }> | undefined;

/** offer is the device's answer to operate, of which the page has the lease then. */
function offer(): void {
	hear(outcome({ type: "machine", machine: MACHINE, moving: true }), tick(1_000_000));
	engine.handle({ type: "control.lease", do: "take" });
	const take = commands().find(({ type }) => type === "lease");
	hear(
		outcome({
			type: "lease",
			id: take?.id ?? "",
			fence: 3,
			holder: { id: "1", name: "Ada" },
			mine: true,
			ttl_ms: 5_000,
		}),
	);
	dialled.newest("ws").take();
}

beforeEach(() => begin("operator"));

test("an operator's page asks what a device offers, a viewer's does not", () => {
	expect(commands()).toEqual([{ priority: 3, type: "operate", on: true }]);
	begin("viewer");
	env.advance(5_000);
	expect(commands()).toEqual([]);
});

test("each device is told a key of its own, and none the page's secret", () => {
	const keys: unknown[] = [];
	for (const id of ["aa", "bb", "aa"]) {
		begin("operator");
		hear(said(1, { type: "state", device: { ...pi, id } }));
		hear(outcome({ type: "machine", machine: MACHINE, moving: true }), tick(1_000_000));
		engine.handle({ type: "control.lease", do: "take" });
		keys.push(commands().find(({ type }) => type === "lease")?.key);
	}
	expect(keys).toEqual([keyFor("secret", "aa"), keyFor("secret", "bb"), keyFor("secret", "aa")]);
});

test("a hand that moves on makes Drives, at once and again, and one that stands still none", () => {
	offer();
	expect([last("control.machine")?.machine?.name, last("control.lease")?.lease.mine]).toEqual(["rover", true]);
	let hand = 0;
	const push = () => engine.handle({ type: "hand", hand: ++hand, targets: [{ axis: 1, value: 0.5 }] });
	push();
	expect(
		sent(TYPE_DRIVE).map(({ hop: { priority }, body }) => [priority, parseDrive(body).setpoints[0]?.value]),
	).toEqual([[3, 0.5]]);
	for (let t = 0; t < 200; t += 40) {
		env.advance(40);
		push();
	}
	expect(sent(TYPE_DRIVE).length).toBeGreaterThanOrEqual(3);
	expect(last("control.state")?.driving).toBe("driving");
	env.advance(150); // this Worker goes on, the page does not
	dialled.newest("ws").take();
	env.advance(1_000);
	expect(sent(TYPE_DRIVE)).toEqual([]);
	expect(last("control.state")).toMatchObject({ driving: "no", desired: [{ axis: 1, value: 0.5 }] });
});

test("a call goes out with a deadline, and its end comes to the page", () => {
	offer();
	engine.handle({ type: "control.call", id: "c", method: "honk", waitMs: 500, lease: false });
	expect(commands()).toEqual([{ priority: 3, type: "call", id: "c", method: "honk", epoch: 9, by: 1_500_000 }]);
	hear(outcome({ type: "call", id: "c", state: "done", result: { ok: true } }));
	expect(last("control.call")?.call).toMatchObject({ state: "done", result: { ok: true }, rttMs: 0 });
	expect(commands()).toEqual([{ priority: 3, type: "seen", id: "c" }]);
});

test("a call that is too long comes to its end, and the page is told of the path as before", () => {
	offer();
	const params = { text: "x".repeat(20_000) };
	engine.handle({ type: "control.call", id: "c", method: "honk", params, waitMs: 500, lease: false });
	expect(commands()).toEqual([]);
	expect(last("control.call")?.call).toMatchObject({ state: "rejected", code: "params" });
	posted = [];
	env.advance(1_000);
	expect(posted.filter(({ type }) => type === "path").length).toBeGreaterThanOrEqual(3);
	engine.handle({ type: "control.stop" });
	expect(commands().at(-1)).toMatchObject({ type: "stop" });
});

test("an engine on the page sees and stops, and does nothing else: there a beat proves no hand", () => {
	begin("operator", true);
	hear(outcome({ type: "machine", machine: MACHINE }), tick(1_000_000));
	expect(last("control.machine")).toMatchObject({ machine: { name: "rover" }, code: "on-page" });
	dialled.newest("ws").take();
	engine.handle({ type: "control.lease", do: "take" });
	engine.handle({ type: "hand", hand: 1, targets: [] });
	engine.handle({ type: "control.call", id: "c", method: "honk", waitMs: 500, lease: false });
	expect(commands()).toEqual([]);
	engine.handle({ type: "control.stop" });
	expect(commands()).toMatchObject([{ type: "stop", name: "Ada" }]);
});

test("an outcome that cannot be read is counted, and harms nothing", () => {
	hear(frame(TYPE_OUTCOME, new Uint8Array([0x7b])));
	env.advance(250);
	expect(last("path")?.path.drops).toMatchObject({ malformed: 1 });
});

/** leave is what the page does when it shows another device while a stop is on its way: the id of that is returned. */
function leave(): string {
	offer();
	engine.handle({ type: "control.stop" });
	const id = commands().find(({ type }) => type === "stop")?.id;
	engine.handle({ type: "close" });
	engine.handle({ type: "open", device: "other", only: ["ws"] });
	posted = [];
	return id;
}
const parted = () => posted.filter(({ type }) => type === "control.parted");
const stops = () => commands().filter(({ type }) => type === "stop").length;

test("a stop is said on when its device is left, until that has answered, and the page is told of nothing else there", () => {
	const id = leave();
	env.advance(500);
	expect(stops()).toBeGreaterThanOrEqual(9);
	hear(outcome({ type: "stop", id: "another", stopped: true }), outcome({ type: "machine", machine: MACHINE }));
	env.advance(500);
	expect([stops() > 0, parted(), last("control.stop"), last("control.machine")]).toEqual([
		true,
		[],
		undefined,
		undefined,
	]);
	hear(outcome({ type: "stop", id, stopped: true }));
	env.advance(300);
	expect(parted()).toEqual([{ type: "control.parted", device: "pi", answered: true }]);
	commands();
	env.advance(5_000);
	expect(stops()).toBe(0);
});

test("it is said on over the next link", () => {
	const id = leave();
	dialled.newest().ends({ failure: failure("cut") });
	env.advance(3_000);
	const { open } = dialled.newest().request as { open: { device?: string } | null };
	expect(open?.device).toBe("other");
	hear(said(0, { type: "welcome", server: "s", role: "operator", time: 1 }));
	const opens = signals(dialled.newest().take()).filter(({ type }) => type === "open");
	expect(opens).toMatchObject([{ device: "pi" }]);
	const [{ conn, id: open_ }] = opens as [{ conn: number; id: string }];
	hear(
		said(conn, { type: "opened", device: pi }),
		said(conn, { type: "accept", id: open_, epoch: "0000000a", now: 0 }),
	);
	env.advance(250);
	const again = read(dialled.newest().take()).filter(({ type, hop }) => type === TYPE_COMMAND && hop.conn === conn);
	expect(again.map(({ body }) => JSON.parse(new TextDecoder().decode(body)))).toContainEqual({
		type: "stop",
		id,
		name: "Ada",
	});
	expect(last("opened")).toBeUndefined();
});

test("a stop that is not answered is said for 30 s, and the page is told that it was not", () => {
	leave();
	env.advance(29_000);
	expect(parted()).toEqual([]);
	env.advance(1_500);
	expect(parted()).toEqual([{ type: "control.parted", device: "pi", answered: false }]);
	commands();
	env.advance(5_000);
	expect(stops()).toBe(0);
});

test("a device that is left is told nothing more", () => {
	offer();
	engine.handle({ type: "close" });
	dialled.newest("ws").take();
	env.advance(5_000);
	expect(commands()).toEqual([]);
});
