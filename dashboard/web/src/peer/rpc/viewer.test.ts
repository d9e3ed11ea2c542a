import { beforeEach, describe, expect, test } from "vitest";
import { type Drive, MAX_COMMAND } from "../wire";
import { type CallInfo, type Command, type LeaseInfo, type Machine, type StopInfo, Viewer } from ".";
import { operatorOf } from "./key";

const AXES = [
	{ id: 1, name: "drive", min: -2, max: 2, neutral: 0 },
	{ id: 2, name: "turn", min: -1, max: 1, neutral: 0 },
];
const EPOCH = 0x0a;

let now: number;
let rtt: number;
let path: boolean;
let said: { at: number; command: Command; everywhere: boolean }[];
let drives: (Drive & { at: number })[];
let machine: Machine | null | undefined;
let code: string;
let lease: LeaseInfo;
let stop: StopInfo;
let calls: Map<string, CallInfo>;
let held: number;
let viewer: Viewer;

beforeEach(() => {
	now = 1_000;
	rtt = 20;
	path = true;
	said = [];
	drives = [];
	machine = undefined;
	code = "";
	calls = new Map();
	held = 0;
	let ids = 0;
	viewer = new Viewer({
		uuid: () => `id${++ids}`,
		first: 100,
		identity: { key: "secret", name: "Ada" },
		rtt: () => rtt,
		path: () => path,
		send: (body, everywhere) => said.push({ at: now, command: JSON.parse(new TextDecoder().decode(body)), everywhere }),
		drive: (drive) => drives.push({ ...drive, at: now }),
		events: {
			onMachine: (m, c) => {
				machine = m;
				code = c;
			},
			onLease: (info, ms) => {
				lease = structuredClone(info);
				held = ms;
			},
			onStop: (info) => {
				stop = { ...info };
			},
			onCall: (call) => calls.set(call.id, { ...call }),
		},
	});
});

/** run lets time pass in steps of what the viewer asks for. */
function run(ms: number): void {
	const end = now + ms;
	for (viewer.step(now); now < end; viewer.step(now)) now = Math.min(end, Math.max(now + 0.5, viewer.wake(now)));
}

const hear = (value: object) => viewer.outcome(now, new TextEncoder().encode(JSON.stringify(value)));
const tick = (at: number, epoch = EPOCH) => viewer.tick(now, { epoch, at });
const idOf = (one: { command: Command } | undefined) =>
	one !== undefined && "id" in one.command ? one.command.id : "";
const commands = (type: Command["type"]) => said.filter(({ command }) => command.type === type);

function offer(moving = false): void {
	hear({ type: "machine", machine: { name: "rover", axes: AXES, methods: [{ name: "home" }] }, moving });
}

/** begin is a device that offers a machine, whose tick has come. */
function begin(): void {
	viewer.accepted(now);
	run(0);
	offer();
	tick(5_000_000);
	said = [];
}

/** granted gives this page the lease. */
function granted(fence = 3): void {
	viewer.leaseDo(now, "take");
	run(0);
	const id = idOf(said.at(-1));
	hear({ type: "lease", id, fence, holder: { id: "me", name: "Ada" }, mine: true, ttl_ms: 5_000 });
	said = [];
}

describe("operate", () => {
	test("is said until the device tells its machine, and again with every new link", () => {
		viewer.accepted(now);
		run(1_000);
		expect(commands("operate").map(({ at }) => at - 1_000)).toEqual([0, 100, 300, 700]);
		offer();
		run(3_000);
		expect(commands("operate")).toHaveLength(4);
		expect(machine?.name).toBe("rover");
		viewer.accepted(now);
		run(0);
		expect(commands("operate")).toHaveLength(5);
	});

	test("what the machine is stays as it was told, until another run of the device tells it anew", () => {
		viewer.accepted(now);
		const tell = (epoch: number, at: number, moving: boolean, name?: string) =>
			hear({ type: "machine", epoch, at, moving, ...(name === undefined ? {} : { machine: { name } }) });
		const known = () => machine && [machine.name, machine.moving];
		tell(EPOCH, 20, true);
		run(150);
		tell(EPOCH, 10, false, "rover"); // described earlier, heard later
		expect(known()).toBeFalsy();
		tell(EPOCH, 30, false, "rover");
		tell(EPOCH, 50, true);
		tell(EPOCH, 40, false);
		expect(known()).toEqual(["rover", true]);
		tell(EPOCH + 1, 1, false);
		expect(known()).toEqual(["rover", true]);
		tell(EPOCH + 1, 2, false, "crane");
		tell(EPOCH + 1, 3, true);
		expect(known()).toEqual(["crane", true]);
		run(1_000);
		expect(commands("operate")).toHaveLength(2);
	});

	test("a device that takes none is asked no more", () => {
		viewer.accepted(now);
		run(0);
		hear({ type: "machine", code: "not-offered" });
		run(60_000);
		expect(commands("operate")).toHaveLength(1);
		expect([machine, code]).toEqual([null, "not-offered"]);
	});

	test("nor one that says nothing to it", () => {
		viewer.accepted(now);
		run(60_000);
		expect(commands("operate")).toHaveLength(8);
		expect([machine, code]).toEqual([null, "unanswered"]);
	});
});

describe("a call", () => {
	const call = (wait = 500) => viewer.call(now, { id: "c", method: "home", params: { fast: true } }, wait, false);

	test("carries a deadline of the newest tick, and is repeated until it is answered", () => {
		begin();
		now += 40;
		call();
		run(350);
		const c = commands("call");
		expect(c.map(({ at }) => at - 1_040)).toEqual([0, 100, 300]);
		const first = { type: "call", id: "c", method: "home", params: { fast: true }, epoch: EPOCH, by: 5_540_000 };
		for (const { command } of c) expect(command).toEqual(first);
		hear({ type: "call", id: "c", state: "received" });
		run(10_000);
		expect(commands("call")).toHaveLength(3);
		expect(calls.get("c")).toMatchObject({ state: "received", rttMs: 350 });
	});

	test("is never repeated past its deadline, and then asked for", () => {
		begin();
		call(250);
		run(3_000);
		expect(commands("call").map(({ at }) => at - 1_000)).toEqual([0, 100]);
		expect(commands("ask")[0]).toMatchObject({ at: 1_250, command: { id: "c" } });
		hear({ type: "call", id: "c", state: "expired", code: "late", reason: "it came too late" });
		const asked = commands("ask").length;
		run(5_000);
		expect(commands("ask")).toHaveLength(asked);
		expect(calls.get("c")).toMatchObject({ state: "expired", code: "late" });
	});

	test("is not answered by a device that refuses to say what became of it", () => {
		begin();
		call();
		run(600);
		hear({ type: "call", id: "c", code: "not-offered" });
		run(5_000);
		expect(calls.get("c")).toMatchObject({ state: "unknown" });
	});

	test("goes on to its end, which is seen each time that it comes; nothing undoes it", () => {
		begin();
		call();
		run(0);
		hear({ type: "call", id: "c", state: "running", progress: 0.25 });
		hear({ type: "call", id: "c", state: "received" }); // late, over the slower path
		expect(calls.get("c")).toMatchObject({ state: "running", progress: 0.25 });
		hear({ type: "call", id: "c", state: "done", result: { at: 3 }, took_us: 1_200 });
		hear({ type: "call", id: "c", state: "done", result: { at: 3 }, took_us: 1_200 });
		hear({ type: "call", id: "c", state: "running" });
		expect(calls.get("c")).toMatchObject({ state: "done", result: { at: 3 }, tookUs: 1_200 });
		expect(commands("seen")).toHaveLength(2);
	});

	test("can be cancelled while it runs, until its end", () => {
		begin();
		call();
		run(0);
		hear({ type: "call", id: "c", state: "running" });
		viewer.cancel(now, "c");
		run(150);
		expect(commands("cancel")).toHaveLength(2);
		expect(calls.get("c")?.cancelling).toBe(true);
		hear({ type: "call", id: "c", state: "failed", reason: "it was cancelled" });
		run(5_000);
		expect(commands("cancel")).toHaveLength(2);
	});

	test("without a tick or a path it waits, and expires when it could not be sent in time", () => {
		viewer.accepted(now);
		call();
		run(600);
		expect(calls.get("c")).toMatchObject({ state: "expired", code: "late", reason: expect.stringContaining("clock") });
		tick(5_000_000);
		path = false;
		viewer.call(now, { id: "d", method: "home" }, 500, false);
		run(300);
		expect(calls.get("d")?.state).toBe("waiting");
		path = true;
		run(50);
		expect(calls.get("d")?.state).toBe("sent");
		const by = commands("call").map(({ command }) => "by" in command && command.by);
		expect(by).toEqual([5_500_000]); // not later for having waited
		path = false;
		viewer.call(now, { id: "e", method: "home" }, 500, false);
		run(600);
		expect(calls.get("e")).toMatchObject({ state: "expired", reason: expect.stringContaining("path") });
		expect(commands("call").some((one) => idOf(one) === "e")).toBe(false);
	});

	test("that no receiver would take is refused here, and a stop goes ahead of any", () => {
		begin();
		const long = (bytes: number) => ({ text: "x".repeat(bytes) });
		viewer.call(now, { id: "c", method: "home", params: long(MAX_COMMAND) }, 500, false);
		viewer.call(now, { id: "d", method: "home", params: long(MAX_COMMAND - 200) }, 500, false);
		viewer.stop(now);
		run(0);
		expect(calls.get("c")).toMatchObject({ state: "rejected", code: "params", reason: expect.stringMatching(/16384/) });
		expect(calls.get("d")?.state).toBe("sent");
		expect(said.map(({ command }) => command.type)).toEqual(["stop", "call"]);
	});

	test("that nobody answers is unknown, and what the device says later counts", () => {
		begin();
		call(100);
		run(5_200);
		expect(calls.get("c")).toMatchObject({ state: "unknown", reason: expect.stringContaining("no answer") });
		hear({ type: "call", id: "c", state: "done" });
		expect(calls.get("c")?.state).toBe("done");
	});

	test("of which nothing was heard for 3 s is asked for", () => {
		begin();
		call();
		run(0);
		hear({ type: "call", id: "c", state: "running" });
		run(2_999);
		expect(commands("ask")).toEqual([]);
		run(2);
		expect(commands("ask")).toHaveLength(1);
	});

	test("for who has the lease is not sent without it", () => {
		begin();
		viewer.call(now, { id: "c", method: "home" }, 500, true);
		run(600);
		expect(commands("call")).toEqual([]);
		expect(calls.get("c")).toMatchObject({ state: "rejected", code: "no-lease" });
	});

	test("one from before a reload is asked for by its id", () => {
		begin();
		viewer.ask(now, "old", "home");
		run(0);
		expect(commands("ask")[0]?.command).toEqual({ type: "ask", id: "old" });
		hear({ type: "call", id: "old", state: "done" });
		expect(calls.get("old")).toMatchObject({ state: "done", rttMs: null, method: "home" });
	});

	test("a deadline is of the newest run of the device's program", () => {
		begin();
		tick(100, 0x0b);
		tick(9_000_000, EPOCH); // late, of the run before
		call();
		run(0);
		expect(commands("call")[0]?.command).toMatchObject({ epoch: 0x0b, by: 500_100 });
	});
});

describe("the lease", () => {
	test("is renewed each second, and lost when nobody answers", () => {
		begin();
		granted();
		expect([lease.mine, held]).toEqual([true, 5_000]);
		run(2_050);
		const renewals = commands("lease").filter(({ command }) => command.type === "lease" && command.do === "renew");
		expect(new Set(renewals.map(({ command }) => "id" in command && command.id)).size).toBe(2);
		expect(renewals[0]?.command).toMatchObject({ key: "secret", name: "Ada" });
		run(2_949);
		expect(lease.mine).toBe(true);
		run(1);
		expect([lease.mine, lease.lost, held]).toEqual([false, true, 0]);
		said = [];
		run(5_000);
		expect(commands("lease").filter(({ at }) => at > now - 3_000)).toEqual([]);
	});

	test("what another holds is refused in words", () => {
		begin();
		viewer.leaseDo(now, "take");
		run(0);
		const holder = { id: "ff", name: "Bob" };
		const id = idOf(said.at(-1));
		hear({ type: "lease", id, holder, code: "held", reason: "Bob has it" });
		expect(lease).toMatchObject({ mine: false, holder, code: "held", reason: "Bob has it", lost: false });
	});

	test("taken over by an admin it is lost; given back it is not", () => {
		begin();
		granted();
		hear({ type: "lease", fence: 4, holder: { id: "ff", name: "Bob" }, ttl_ms: 5_000 });
		expect(lease).toMatchObject({ mine: false, lost: true });
		granted(5);
		viewer.leaseDo(now, "release");
		expect(lease).toMatchObject({ mine: false, lost: false });
		run(1_500); // it was not answered
		granted(6);
		viewer.leaseDo(now, "give", "ff");
		run(0);
		hear({ type: "lease", id: idOf(said.at(-1)), fence: 7, holder: { id: "ff", name: "Bob" } });
		expect(lease).toMatchObject({ mine: false, lost: false });
	});

	test("what is older than what is known is ignored", () => {
		begin();
		hear({ type: "lease", epoch: EPOCH, at: 20, holder: { id: "ff", name: "Bob" } });
		hear({ type: "lease", epoch: EPOCH, at: 10 });
		expect(lease.holder?.name).toBe("Bob");
		tick(1, EPOCH + 1);
		hear({ type: "lease", epoch: EPOCH, at: 30 }); // of a run that is over
		expect(lease.holder?.name).toBe("Bob");
		hear({ type: "lease", epoch: EPOCH + 1, at: 5 });
		expect(lease.holder).toBeNull();
	});

	test("is taken again when the device began anew", () => {
		begin();
		granted();
		tick(100, EPOCH + 1);
		run(0);
		expect(commands("lease")[0]?.command).toMatchObject({ do: "take", epoch: EPOCH + 1 });
	});

	test("after a reload it is taken again as soon as there is a tick", () => {
		viewer.again(now);
		viewer.accepted(now);
		run(0);
		offer();
		expect(commands("lease")).toEqual([]);
		tick(5_000_000);
		run(0);
		expect(commands("lease")[0]?.command).toMatchObject({ do: "take", key: "secret" });
	});
});

describe("a lease that was this page's", () => {
	const takes = () => commands("lease").filter(({ command }) => "do" in command && command.do === "take").length;
	beforeEach(() => {
		begin();
		granted();
		viewer.accepted(now);
		run(0);
		offer();
		hear({ type: "lease", epoch: EPOCH + 1, at: 1 }); // the device has begun anew, and has not read its disk
	});

	test.each([
		[4_000, 1],
		[6_000, 0],
	])("is taken again for as long as the device may know it: after %i ms", (ms, times) => {
		run(ms);
		tick(100, EPOCH + 1);
		run(0);
		expect(takes()).toBe(times);
	});

	test("is not taken again by who has given it back", () => {
		viewer.leaseDo(now, "release");
		tick(100, EPOCH + 1);
		run(0);
		expect(takes()).toBe(0);
	});

	test("nor after it has expired", () => {
		begin();
		granted();
		run(4_900);
		viewer.accepted(now);
		run(200);
		expect(lease.lost).toBe(true);
		said = [];
		tick(9_000_000);
		run(0);
		expect(takes()).toBe(0);
	});
});

describe("who asks for the lease", () => {
	const bob = { id: "ff", name: "Bob" };
	const me = { id: operatorOf("secret"), name: "Ada" };
	const denial = { type: "lease", holder: bob, code: "held", reason: "Bob keeps it" };
	beforeEach(() => {
		begin();
		viewer.leaseDo(now, "request");
		run(0);
		hear({ type: "lease", holder: bob }); // said before
		hear({ type: "lease", id: idOf(commands("lease").at(-1)), holder: bob, asks: [me] });
		expect(lease).toMatchObject({ asking: true, code: "" });
	});

	test("is told when the holder denies it, for longer than until the next word to all, and can ask again", () => {
		hear(denial);
		hear({ type: "lease", holder: bob });
		expect(lease).toMatchObject({ asking: false, code: "held", reason: "Bob keeps it" });
		viewer.leaseDo(now, "request");
		expect(lease).toMatchObject({ asking: true, code: "", reason: "" });
	});

	test("waits no more once that is over: the lease has come, or the Conn is another one, or the denial was lost", () => {
		hear(denial);
		hear({ type: "lease", fence: 4, holder: me, mine: true, ttl_ms: 5_000 });
		expect(lease).toMatchObject({ asking: false, mine: true, code: "" });
		viewer.leaseDo(now, "request");
		run(0);
		hear({ type: "lease", id: idOf(commands("lease").at(-1)), holder: bob, asks: [me] });
		viewer.accepted(now);
		expect(lease.asking).toBe(false);
		viewer.leaseDo(now, "request");
		run(0);
		hear({ type: "lease", id: idOf(commands("lease").at(-1)), holder: bob, asks: [me] });
		expect(lease.asking).toBe(true);
		hear({ type: "lease", holder: bob });
		expect(lease.asking).toBe(false);
	});
});

describe("stop", () => {
	test("is said everywhere every 50 ms, without lease or tick, until it is answered", () => {
		viewer.stop(now);
		run(200);
		expect(commands("stop").map(({ at, everywhere }) => [at - 1_000, everywhere])).toEqual(
			[0, 50, 100, 150, 200].map((at) => [at, true]),
		);
		expect(stop.sending).toBe("stop");
		hear({ type: "stop", stopped: true, by: "Bob" }); // somebody else's
		expect(stop).toMatchObject({ stopped: true, sending: "stop" });
		const id = idOf(commands("stop")[0]);
		hear({ type: "stop", id, stopped: true, by: "Ada", took_us: 700 });
		run(1_000);
		expect(commands("stop")).toHaveLength(5);
		expect(stop).toMatchObject({ stopped: true, by: "Ada", sending: null, tookUs: 700, rttMs: 200 });
	});

	test("what is told of one stop is not said of another, and a reset names what is known of the stop", () => {
		begin();
		const press = (answer: object) => {
			viewer.stop(now);
			run(0);
			hear({ type: "stop", id: idOf(said.at(-1)), epoch: EPOCH, stopped: true, ...answer });
		};
		press({ at: 10, since: 1, took_us: 900 });
		hear({ type: "stop", epoch: EPOCH, at: 20, since: 1, stopped: true });
		expect(stop.tookUs).toBe(900);
		viewer.reset(now);
		run(0);
		expect(said.at(-1)?.command).toMatchObject({ type: "reset", at: 20 });
		hear({ type: "stop", epoch: EPOCH, at: 30, since: 2, stopped: true });
		expect(stop.tookUs).toBe(0);
		press({ at: 40, since: 2, took_us: 700 });
		press({ at: 50, since: 2, reason: "an actuator has not answered" });
		expect(stop).toMatchObject({ tookUs: 0, reason: "an actuator has not answered" });
		tick(1_000_000, EPOCH + 1); // another run: nothing is known of its stop
		viewer.reset(now);
		run(0);
		expect(said.at(-1)?.command).not.toHaveProperty("at");
	});

	test("a reset that is not answered says so, and one that was overtaken by a stop says nothing", () => {
		begin();
		viewer.reset(now);
		run(1_500);
		expect(stop).toMatchObject({ sending: null, code: "late" });
		viewer.reset(now);
		viewer.stop(now);
		run(3_000);
		expect(stop).toMatchObject({ sending: "stop", code: "" });
	});
});

describe("a hand", () => {
	const PUSH = [{ axis: 1, value: 1.5 }];
	const values = () => drives.map(({ setpoints }) => setpoints.map(({ value }) => value).join(" "));

	beforeEach(() => {
		begin();
		granted();
	});

	/** push is the page's input code for so long. */
	function push(ms: number, targets = PUSH): void {
		for (let t = 0; t < ms; t += 25) {
			viewer.hand(now, counter++, targets);
			run(25);
		}
	}
	let counter = 1;
	beforeEach(() => {
		counter = 1;
	});

	test("is neutral until the device obeys", () => {
		push(100);
		expect(new Set(values())).toEqual(new Set(["0 0"]));
		offer(true);
		push(100);
		expect(values().at(-1)).toBe("1.5 0");
		expect(drives.at(-1)).toMatchObject({ fence: 3, tick: { epoch: EPOCH, at: 5_000_000 } });
		expect(drives.map(({ seq }) => seq)).toEqual(drives.map((_, i) => 101 + i));
	});

	test("a counter that stands still ends the Drives within 150 ms", () => {
		offer(true);
		push(100);
		const last = now - 25;
		for (let t = 0; t < 1_000; t += 25) {
			viewer.hand(now, counter - 1, PUSH); // as from a page whose input code does not run
			run(25);
		}
		expect(drives.at(-1)?.at).toBeLessThan(last + 150);
	});

	test("a change does not wait because a Drive that changed nothing has just gone", () => {
		offer(true);
		push(100);
		for (const sent = drives.length; drives.length === sent; ) run(1);
		const last = drives.at(-1)?.at ?? 0;
		viewer.hand(now, counter++, [{ axis: 1, value: 0.5 }]);
		run(1);
		expect((drives.at(-1)?.at ?? 0) - last).toBeLessThan(5);
		expect(values().at(-1)).toBe("0.5 0");
	});

	test("Drives come every 50 ms, and with a change at once, but changes never within 10 ms", () => {
		offer(true);
		push(500);
		const gaps = drives.slice(2).map(({ at }, i) => at - (drives[i + 1]?.at ?? 0));
		expect(Math.max(...gaps)).toBeLessThanOrEqual(50);
		drives = [];
		for (let i = 0; i < 100; i++) {
			viewer.hand(now, counter++, [{ axis: 1, value: i / 100 }]);
			run(1);
		}
		expect(drives.length).toBeGreaterThan(8);
		expect(drives.length).toBeLessThanOrEqual(11);
	});

	test("one that the device stops to obey has to let go first", () => {
		offer(true);
		push(300);
		offer(false);
		drives = [];
		push(400);
		expect(viewer.driving(now)).toBe("tripped");
		expect(values()).not.toContain("0 0");
		run(200); // of a page that hangs, with the key held
		drives = [];
		push(50);
		expect([viewer.driving(now), values().includes("0 0")]).toEqual(["tripped", false]);
		viewer.hand(now, counter++, []);
		run(200); // let go
		drives = [];
		push(50);
		expect(new Set(values())).toEqual(new Set(["0 0"]));
		offer(true);
		push(50);
		expect(values().at(-1)).toBe("1.5 0");
	});

	test("that it no longer obeys, said before the hand came back, does not trip it", () => {
		offer(true);
		push(100);
		viewer.hand(now, counter++, []);
		run(200);
		push(25);
		offer(false);
		drives = [];
		push(100);
		expect(new Set(values())).toEqual(new Set(["0 0"]));
		offer(true);
		push(50);
		expect(values().at(-1)).toBe("1.5 0");
	});

	test("the machine is asked for again while a hand waits for it", () => {
		said = [];
		push(1_000);
		expect(commands("operate").length).toBeGreaterThanOrEqual(2);
	});

	test("values are held to the axis, and what is no number is neutral", () => {
		offer(true);
		push(100, [
			{ axis: 1, value: 99 },
			{ axis: 2, value: Number.NaN },
		]);
		expect(values().at(-1)).toBe("2 0");
	});

	test("without the lease nothing is sent", () => {
		offer(true);
		push(50);
		viewer.leaseDo(now, "release");
		drives = [];
		push(300);
		expect(drives).toEqual([]);
	});
});
