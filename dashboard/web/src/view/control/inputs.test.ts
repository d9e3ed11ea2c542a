import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { absent, watchAbsence } from "../../hands/absent";
import { Hands } from "../../hands/hands";
import type { Axis } from "../../port";
import { Inputs } from "./inputs.svelte";

const AXES = [{ id: 1, name: "drive", min: -1, max: 1, neutral: 0 }] as Axis[];

let page: EventTarget;
let frames: (() => void)[];
let pad: { id: string; index: number; connected: boolean; mapping: string; axes: number[] } | null;
let hands: Hands;
let inputs: Inputs;
let unwatch: () => void;

beforeEach(() => {
	vi.useFakeTimers();
	page = new EventTarget();
	frames = [];
	pad = null;
	vi.stubGlobal("window", page);
	vi.stubGlobal("Element", class {});
	const document = { hidden: false, hasFocus: () => true, querySelector: () => null };
	vi.stubGlobal("document", Object.assign(new EventTarget(), document));
	vi.stubGlobal("navigator", { getGamepads: () => [pad] });
	vi.stubGlobal("requestAnimationFrame", (frame: () => void) => frames.push(frame));
	vi.stubGlobal("cancelAnimationFrame", () => undefined);
	hands = new Hands({ send: () => undefined, absent, now: () => Date.now(), first: 0 });
	unwatch = watchAbsence((why) => hands.release(why));
	hands.of(AXES);
	inputs = new Inputs(hands, "rover");
	inputs.of(AXES);
});
afterEach(() => {
	inputs.dispose();
	unwatch();
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

const say = (type: string, members: object = {}) =>
	page.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), members));
const press = (code: string, members: object = {}) => say("keydown", { code, key: code, ...members });
const drawFrame = () => {
	for (const frame of frames.splice(0)) frame();
};

test("a key that may be let go unseen holds nothing", () => {
	press("KeyD");
	expect(hands.held).toBe(true);
	press("MetaLeft", { key: "Meta", metaKey: true });
	expect(hands.held).toBe(false);
	press("KeyD", { repeat: true });
	expect(hands.held).toBe(false);
	say("keyup", { code: "KeyD" });
	press("KeyD");
	say("contextmenu");
	expect(hands.held).toBe(false);
});

test("a menu that the page itself refuses is none", () => {
	press("KeyD");
	const refused = new Event("contextmenu", { cancelable: true });
	refused.preventDefault();
	page.dispatchEvent(refused);
	expect(hands.held).toBe(true);
});

test("a pad that is not read any more holds nothing", () => {
	pad = { id: "a", index: 0, connected: true, mapping: "standard", axes: [0, 0] };
	say("gamepadconnected");
	drawFrame();
	pad = { ...pad, axes: [1, 0] };
	drawFrame();
	expect(hands.holds("pad")).toBe(true);
	vi.advanceTimersByTime(200); // timers run, frames are not drawn
	expect(hands.held).toBe(false);
	drawFrame();
	expect(hands.held).toBe(false);
	pad = { ...pad, axes: [0, 0] };
	drawFrame();
	pad = { ...pad, axes: [1, 0] };
	drawFrame();
	expect(hands.held).toBe(true);
});
