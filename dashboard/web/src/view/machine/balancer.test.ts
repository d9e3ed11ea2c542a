import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Part, StreamInfo } from "../../port";
import { DeviceStore } from "../../store/device";
import type { App } from "../state/app.svelte";
import { Balancer } from "./balancer.svelte";
import { isMachine } from "./known";

const NAMES = [
	"pole/x",
	"pole/v",
	"pole/angle",
	"pole/spin",
	"pole/force",
	"rover/x",
	"rover/y",
	"rover/heading",
	"rover/speed",
];
const TEXTS = ["pole/state", "rover/horn"];

function info(name: string, id: number): StreamInfo {
	const kind = TEXTS.includes(name) ? ("text" as const) : ("number" as const);
	const meta = {
		kind,
		unit: "",
		label: "",
		group: "",
		min: null,
		max: null,
		periodMs: 10,
		source: "machine",
		simulated: true,
	};
	return { id, name, class: kind === "text" ? "event" : "live", deadlineMs: null, meta };
}
const STREAMS = [...NAMES, ...TEXTS].map((name, i) => info(name, i + 1));

const AXIS = { id: 1, name: "cart-force", min: -10, max: 10, neutral: 0 };
const LIFT = { name: "reset-pole", lease: true };

let store: DeviceStore;
let seq: number;
let gripped: number[];
let refuses: boolean;
let called: string[];
let page: { hidden: boolean };
let control: Record<string, unknown>;
let balancer: Balancer;

beforeEach(() => {
	vi.useFakeTimers();
	store = new DeviceStore();
	store.describe(STREAMS);
	seq = 0;
	[gripped, called, refuses, page] = [[], [], false, { hidden: false }];
	vi.stubGlobal("document", { ...page, hasFocus: () => true, querySelector: () => null });
	control = {
		mayDrive: true,
		lease: { mine: true, code: "" },
		machine: { axes: [AXIS], methods: [LIFT] },
		beat: { driving: "neutral" },
		stop: null,
		do: (what: string) => called.push(what),
		call: ({ name }: { name: string }) => called.push(name),
		hands: {
			grip: (_: string, deflections: Map<number, number>) => {
				if (!refuses) gripped.push(deflections.get(1) ?? Number.NaN);
				return !refuses;
			},
			letGo: () => called.push("letGo"),
		},
	};
	balancer = new Balancer({ store, control, path: { rttLeastMs: 20 }, pull: () => undefined } as unknown as App);
});
afterEach(() => {
	balancer.dispose();
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

/** put is a sample of one moment. */
function put(values: Record<string, number | string>, t = Date.now()): void {
	seq++;
	for (const [name, value] of Object.entries(values)) {
		const stream = STREAMS.find((one) => one.name === name)?.id ?? 0;
		const isText = typeof value === "string";
		const part: Part = {
			stream,
			epoch: "00000001",
			n: 1,
			seq: 0,
			t: 1,
			v: isText ? -1 : 2,
			text: isText ? 0 : -1,
			retainedMs: null,
			late: false,
			restored: false,
		};
		const data = Float64Array.from([seq, t, isText ? 0 : value]);
		store.samples({ type: "samples", parts: [part], data, texts: isText ? [value] : [] }, Date.now());
	}
}
const leaning = (angle: number) => ({ "pole/x": 0, "pole/v": 0, "pole/angle": angle, "pole/spin": 0 });

test("the machine is known by its streams, and only if they say that they are simulated", () => {
	expect(isMachine(STREAMS)).toBe(true);
	expect(isMachine(STREAMS.slice(1))).toBe(false);
	expect(isMachine(STREAMS.map((one) => ({ ...one, meta: { ...one.meta, simulated: false } })))).toBe(false);
});

test("a pole that lies there is lifted, also where only its angle says so", () => {
	put(leaning(Math.PI / 2));
	control.beat = { driving: "driving" };
	balancer.toggle();
	vi.advanceTimersByTime(100);
	expect(called.filter((what) => what === LIFT.name)).toHaveLength(1);
});

test("a hand that the device does not obey yet is neutral; then the pole is lifted once, and balanced", () => {
	put({ "pole/state": "down", ...leaning(1.57) });
	balancer.toggle();
	vi.advanceTimersByTime(30);
	expect([balancer.phase, new Set(gripped)]).toEqual(["device", new Set([0])]);
	control.beat = { driving: "driving" };
	vi.advanceTimersByTime(30);
	expect([balancer.phase, called]).toEqual(["blind", ["reset-pole"]]);
	put({ "pole/state": "held", ...leaning(0.1) });
	vi.advanceTimersByTime(10);
	expect(balancer.phase).toBe("balancing");
	expect(gripped.at(-1)).toBeGreaterThan(0.3); // it leans to the right: the cart goes there
	expect(balancer.ages.last()).toBeGreaterThanOrEqual(20);
	expect(called).toEqual(["reset-pole"]);
});

test("a state is of one moment: with parts of two the older whole one counts", () => {
	control.beat = { driving: "driving" };
	put({ "pole/state": "up", ...leaning(0.05) });
	balancer.toggle();
	vi.advanceTimersByTime(10);
	const before = balancer.ages.last();
	put({ "pole/angle": -0.3 });
	vi.advanceTimersByTime(20);
	expect(balancer.ages.last()).toBeGreaterThan(before);
	expect(gripped.at(-1)).toBeGreaterThan(0);
});

test("it ends with the lease, with a stop, when the device lets go, and when the page is hidden", () => {
	const ends = (change: () => void) => {
		control.mayDrive = true;
		control.beat = { driving: "driving" };
		balancer.toggle();
		vi.advanceTimersByTime(20);
		expect(balancer.on).toBe(true);
		change();
		vi.advanceTimersByTime(20);
		expect(balancer.on).toBe(false);
		return balancer.ended;
	};
	expect(ends(() => Object.assign(control, { mayDrive: false }))).toBe("control was lost");
	expect(ends(() => Object.assign(control, { mayDrive: false, stop: { stopped: true } }))).toBe(
		"the machine is stopped",
	);
	control.stop = null;
	expect(ends(() => Object.assign(control, { beat: { driving: "tripped" } }))).toMatch(/let go/);
	expect(
		ends(() => {
			refuses = true;
			Object.assign(document, { hidden: true });
		}),
	).toBe("the page was hidden");
});

test("a page that was too busy lets go and comes again", () => {
	control.beat = { driving: "driving" };
	balancer.toggle();
	vi.advanceTimersByTime(10);
	refuses = true;
	vi.advanceTimersByTime(10);
	expect([balancer.phase, called.at(-1)]).toEqual(["device", "letGo"]);
	refuses = false;
	vi.advanceTimersByTime(10);
	expect(balancer.on).toBe(true);
	expect(balancer.phase).not.toBe("device");
});

test("streams whose newest samples are of different moments are read at the newest that they share", () => {
	control.beat = { driving: "driving" };
	put({ "pole/state": "held", ...leaning(0) });
	balancer.toggle();
	const begun = Date.now();
	for (let t = 10; t <= 1_000; t += 10) {
		put({ "pole/x": 0, "pole/v": 0 }, begun + t);
		if (t > 30) put({ "pole/angle": 0.1, "pole/spin": 0 }, begun + t - 30); // they travel behind the others
		vi.advanceTimersByTime(10);
	}
	expect(balancer.phase).toBe("balancing");
	expect(gripped.at(-1)).toBeGreaterThan(0.3);
});
