import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FromControl, Machine, ToControl } from "../../port";
import { Control } from "./control.svelte";

let sent: ToControl[];
let control: Control;

beforeEach(() => {
	const nothing = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
	vi.stubGlobal("window", new EventTarget());
	vi.stubGlobal("navigator", {});
	vi.stubGlobal("document", new EventTarget());
	vi.stubGlobal("sessionStorage", nothing);
	vi.stubGlobal("localStorage", nothing);
	sent = [];
	control = new Control(
		(message) => sent.push(message),
		() => undefined,
		() => undefined,
	);
	control.receive({ type: "control.machine", machine: { axes: [], methods: [] } as unknown as Machine, code: "" });
});
afterEach(() => {
	control.dispose();
	vi.unstubAllGlobals();
});

test("a stop that was pressed is not said to be obeyed before it is, though the Worker says nothing", () => {
	control.press();
	expect(sent.at(-1)?.type).toBe("control.stop");
	expect(control.stoppingSince).not.toBeNull();
	const told = (sending: "stop" | null) =>
		control.receive({ type: "control.stop", stop: { stopped: sending === null, sending } } as FromControl);
	told("stop");
	expect(control.stoppingSince).not.toBeNull();
	told(null);
	expect(control.stoppingSince).toBeNull();
});
