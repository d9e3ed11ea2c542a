import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FromWorker, Target, ToControl } from "../src/port";
import type { Control } from "../src/view/state/control.svelte";
import { picture, SIZES, type Size, Viewer, type Visit, violations } from "./browser";

// Hands on a made-up machine: what the page tells its engine, which does nothing with it.

let viewer: Viewer;
beforeAll(async () => {
	viewer = await Viewer.start();
});
afterAll(() => viewer?.stop());

function at(scene: string, use: (visit: Visit) => Promise<void>, size: Size = "wide"): Promise<void> {
	const options = {
		viewport: SIZES[size],
		colorScheme: "light",
		reducedMotion: "reduce",
		hasTouch: size === "phone",
	} as const;
	return viewer.visit(scene, options, async (visit) => {
		await calm(visit.page);
		await use(visit);
		expect(visit.complaints).toEqual([]);
	});
}

/** calm keeps a busy computer from letting go of the hand, which it does after 150 ms without a turn: hands.test.ts has that. */
function calm(page: Page): Promise<void> {
	return page.evaluate(() => {
		const { app } = globalThis as unknown as { app: { control: { hands: { options: { now(): number } } } } };
		app.control.hands.options.now = () => 0;
	});
}

type Said = ToControl["type"];

/** heard is what the page told of one kind, and forgets it. */
function heard<T extends Said>(page: Page, type: T): Promise<Extract<ToControl, { type: T }>[]> {
	return page.evaluate((wanted) => {
		const { engine } = globalThis as unknown as { engine: { heard: { type: string }[] } };
		const found = engine.heard.filter((message) => message.type === wanted);
		for (const one of found) engine.heard.splice(engine.heard.indexOf(one), 1);
		return found as never;
	}, type);
}

const values = (targets: Target[] | undefined) => targets?.map(({ value }) => Math.round(value * 100) / 100);

it("keys drive while they are held, and while nothing else needs them", () =>
	at("driving", async ({ page }) => {
		await page.keyboard.down("w");
		await page.waitForTimeout(300);
		const held = await heard(page, "hand");
		expect(held.length).toBeGreaterThan(4);
		expect(values(held.at(-1)?.targets)).toEqual([1, 0]);
		expect(new Set(held.map(({ hand }) => hand)).size).toBe(held.length);
		await page.keyboard.down("ArrowLeft");
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([1, 2]);
		const knob = () => page.locator("[data-stick] b").evaluate((it) => it.style.transform);
		await expect.poll(knob).toMatch(/- 45\.\d+px\), calc\(-50% - 45\./); // it shows where the keys point: ahead and left, on its edge
		await page.keyboard.up("ArrowLeft");
		await page.keyboard.up("w");
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
		await page.waitForTimeout(200);
		expect(await heard(page, "hand")).toEqual([]);
		await page.getByText(/^Inputs:/).click();
		await page.getByLabel("Your name, as others see it").press("w");
		expect(await heard(page, "hand")).toEqual([]);
	}));

it.each([
	["a hidden page", "the page was hidden"],
	["a page that lost the focus", "the page lost focus"],
	["a dialog", "a dialog was opened"],
	["a menu", "a menu was opened"],
	["a drag", "something was dragged"],
] as const)("%s releases", (what, why) =>
	at("driving", async ({ page }) => {
		await page.keyboard.down("d");
		await page.waitForTimeout(100);
		await page.evaluate((event) => {
			const begins = (type: string) => document.body.dispatchEvent(new Event(type, { bubbles: true }));
			if (event === "a dialog") document.querySelector<HTMLDialogElement>("dialog")?.showModal();
			else if (event === "a menu") begins("contextmenu");
			else if (event === "a drag") begins("dragstart");
			else if (event === "a hidden page") {
				Object.defineProperty(document, "hidden", { value: true, configurable: true });
				document.dispatchEvent(new Event("visibilitychange"));
			} else window.dispatchEvent(new Event("blur"));
		}, what);
		await page.getByText(`Released: ${why}.`, { exact: true }).first().waitFor();
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
		await page.waitForTimeout(200);
		expect(await heard(page, "hand")).toEqual([]);
	}),
);

it("a list that is opened has the keyboard", () =>
	at("driving", async ({ page }) => {
		await page.getByText(/^Inputs:/).click();
		await page.keyboard.down("w");
		await page.locator("select").first().click();
		await page.keyboard.up("w");
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
		await page.waitForTimeout(200);
		expect(await heard(page, "hand")).toEqual([]);
	}));

it("a key is let go with the one that hides when it is", () =>
	at("driving", async ({ page }) => {
		await page.keyboard.down("w");
		await page.keyboard.down("Meta");
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
		await page.waitForTimeout(200);
		expect(await heard(page, "hand")).toEqual([]);
	}));

it("the stick follows a pointer, and is neutral when that lets go or is taken away", () =>
	at("driving", async ({ page }) => {
		const stick = page.locator("[data-stick]");
		await stick.scrollIntoViewIfNeeded();
		const box = await stick.boundingBox();
		if (box === null) throw new Error("no stick");
		const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
		for (const end of ["up", "cancel"]) {
			await page.mouse.move(x, y);
			await page.mouse.down();
			await page.mouse.move(x + 20, y - 38, { steps: 4 });
			const [speed = 0, turn = 0] = values((await heard(page, "hand")).at(-1)?.targets) ?? [];
			expect([speed, turn]).toEqual([0.5, -0.53]); // to the right: its axis turns left
			await page.mouse.move(x + 900, y); // outside, and beyond the edge
			expect(values((await heard(page, "hand")).at(-1)?.targets)?.map(Math.abs)).toEqual([0, 2]);
			if (end === "cancel") {
				await stick.evaluate((it) =>
					it.dispatchEvent(new PointerEvent("pointercancel", { pointerId: 1, bubbles: true })),
				);
			} else await page.mouse.up();
			expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
			await page.mouse.up();
		}
	}));

it("a slider springs back", () =>
	at("driving", async ({ page }) => {
		const slider = page.getByRole("slider", { name: "Speed" });
		const box = await slider.boundingBox();
		if (box === null) throw new Error("no slider");
		await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2, { steps: 3 });
		expect(values((await heard(page, "hand")).at(-1)?.targets)?.[0]).toBeGreaterThan(0.6);
		await page.mouse.up();
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
		expect(await slider.inputValue()).toBe("0");
		await slider.evaluate((it: HTMLInputElement) => {
			it.valueAsNumber = 1; // as programs do for people who use neither pointer nor keys
			it.dispatchEvent(new Event("input", { bubbles: true }));
		});
		expect([await heard(page, "hand"), await slider.inputValue()]).toEqual([[], "0"]);
		await slider.focus();
		await page.keyboard.down("ArrowRight");
		expect(values((await heard(page, "hand")).at(-1)?.targets)?.[0]).toBeGreaterThan(0);
		await page.keyboard.up("ArrowRight");
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
	}));

it("a game pad drives once it was seen at rest, and releases when it is unplugged", () =>
	at("driving", async ({ page }) => {
		await page.evaluate(() => {
			const pad = { id: "Fake pad", index: 0, connected: true, mapping: "standard", axes: [0, -1, 0, 0], buttons: [] };
			Object.assign(globalThis, { pads: [pad] });
			navigator.getGamepads = () => (globalThis as unknown as { pads: Gamepad[] }).pads;
			window.dispatchEvent(new Event("gamepadconnected"));
		});
		const push = (y: number) =>
			page.evaluate((value) => {
				const [pad] = (globalThis as unknown as { pads: { axes: number[] }[] }).pads;
				if (pad) pad.axes = [0, value, 0, 0];
			}, y);
		await page.getByText("Inputs: Fake pad").click();
		await page.waitForTimeout(200);
		expect(await heard(page, "hand")).toEqual([]); // its stick was held when it came
		await push(0.05);
		await page.waitForTimeout(100);
		await push(-1);
		await expect.poll(async () => values((await heard(page, "hand")).at(-1)?.targets)).toEqual([1, 0]);
		await page.getByRole("list", { name: "What the game pad shows" }).waitFor();
		await picture(page, "control-pad");
		expect(await violations(page)).toEqual([]);
		await page.evaluate(() => {
			Object.assign(globalThis, { pads: [] });
			window.dispatchEvent(new Event("gamepaddisconnected"));
		});
		await page.getByText("Released: the game pad was unplugged.", { exact: true }).first().waitFor();
		expect(values((await heard(page, "hand")).at(-1)?.targets)).toEqual([0, 0]);
	}));

it("Esc and one press stop, with a finger at 360 px, and whoever drives", () =>
	at(
		"held",
		async ({ page }) => {
			await page.getByRole("button", { name: "Stop", exact: true }).tap();
			expect(await heard(page, "control.stop")).toHaveLength(1);
			await page.getByText("Sending on all paths").waitFor(); // though nothing answers, not even the engine
			await page.keyboard.press("Escape");
			expect(await heard(page, "control.stop")).toHaveLength(1);
			await page.keyboard.press("?");
			await page.keyboard.press("Escape"); // closes the dialog as well
			expect(await heard(page, "control.stop")).toHaveLength(1);
			await page.getByRole("dialog").waitFor({ state: "hidden" });
			const box = await page.getByRole("button", { name: "Stop", exact: true }).boundingBox();
			expect(box && box.y + box.height).toBeLessThanOrEqual(SIZES.phone.height);
			expect(box?.height).toBeGreaterThanOrEqual(44);
			await page.getByRole("button", { name: "Ask for it" }).click();
			await page.getByRole("button", { name: "Take over" }).click();
			expect((await heard(page, "control.lease")).map((message) => message.do)).toEqual(["request", "takeover"]);
		},
		"phone",
	));

it.each(["c", "?"])("Stop is within reach in the dialog that %s opens, with a finger at 360 px", (key) =>
	at(
		"driving",
		async ({ page }) => {
			await page.keyboard.press(key);
			const stop = page.getByRole("dialog").getByRole("button", { name: "Stop", exact: true });
			await page.waitForTimeout(300); // it rises
			const box = await stop.boundingBox();
			expect(box && box.y + box.height).toBeLessThanOrEqual(SIZES.phone.height);
			await picture(page, `control-dialog-${key === "c" ? "drawer" : "help"}`);
			await stop.tap();
			expect(await heard(page, "control.stop")).toHaveLength(1);
			expect(await violations(page)).toEqual([]);
		},
		"phone",
	),
);

it("what became of a stop to a device that was left is said until it was read", () =>
	at("device", async ({ page }) => {
		const tell = (answered: boolean | null) =>
			page.evaluate((what) => {
				const { engine } = globalThis as unknown as { engine: { listener(message: FromWorker): void } };
				engine.listener({ type: "control.parted", device: "rover", answered: what });
			}, answered);
		const said = page.getByRole("status", { name: "Stops on their way" });
		await tell(null);
		await said.getByText("has not confirmed the stop yet").waitFor();
		await tell(false);
		await said.getByText("It may not have stopped").waitFor();
		await picture(page, "control-parted");
		expect(await violations(page)).toEqual([]);
		await page.getByRole("button", { name: "Close: rover" }).click();
		await said.waitFor({ state: "hidden" });
	}));

it("a reset takes a second of holding", () =>
	at("stopped", async ({ page }) => {
		const reset = page.getByRole("button", { name: "Hold to reset" });
		await reset.click();
		await page.waitForTimeout(1_200);
		expect(await heard(page, "control.reset")).toEqual([]);
		await reset.click({ delay: 1_200 });
		expect(await heard(page, "control.reset")).toHaveLength(1);
		await reset.focus();
		await page.keyboard.down("Enter");
		await page.waitForTimeout(1_200);
		await page.keyboard.up("Enter");
		expect(await heard(page, "control.reset")).toHaveLength(1);
	}));

it("a form says beside its fields what does not fit, and calls with what was filled in", () =>
	at("driving", async ({ page }) => {
		const form = page.getByRole("form", { name: "Go to a place" });
		await form.getByText("Parameters").click();
		await form.getByLabel("x in m").fill("far");
		await form.getByRole("button", { name: "Run Go to a place" }).click();
		await form.getByText("Enter a number.").waitFor();
		await form.getByText("This is required.").waitFor();
		expect(await heard(page, "control.call")).toEqual([]);
		await form.scrollIntoViewIfNeeded();
		await picture(page, "control-form");
		expect(await violations(page)).toEqual([]);
		await form.getByLabel("x in m").fill("1.5");
		await form.getByLabel("y in m").fill("-2");
		await form.getByRole("button", { name: "Run Go to a place" }).click();
		expect(await heard(page, "control.call")).toMatchObject([
			{ method: "go-to", lease: true, params: { place: { x: 1.5, y: -2 }, gait: "slow" } },
		]);
		await page.getByRole("region", { name: "Commands" }).getByText("waiting", { exact: true }).waitFor();
	}));

/** retold is the machine told anew, as with each change of what moves; its methods are called `label` from then on, if that is given. */
function retold(page: Page, method = "", label = ""): Promise<void> {
	return page.evaluate(
		([name, called]) => {
			const { app } = globalThis as unknown as { app: { control: Control } };
			const machine = structuredClone(app.control.machine);
			if (machine === null) throw new Error("no machine");
			for (const one of machine.methods) if (one.name === name) one.label = called as string;
			app.control.receive({ type: "control.machine", machine: { ...machine, moving: !machine.moving }, code: "" });
		},
		[method, label],
	);
}

it("what is filled in stays when the device says again what it can do, and of a method that is another one it does not", () =>
	at("driving", async ({ page }) => {
		const form = page.getByRole("form", { name: "Go to a place" });
		await form.getByText("Parameters").click();
		await form.getByLabel("x in m").fill("1.5");
		await retold(page);
		await retold(page, "honk", "Hoot");
		expect(await form.getByLabel("x in m").inputValue()).toBe("1.5");
		await retold(page, "go-to", "Go there");
		const other = page.getByRole("form", { name: "Go there" });
		expect(await other.getByLabel("x in m").inputValue()).toBe("");
	}));

it("a slider under a hand stays when the device says again what it can do", () =>
	at("driving", async ({ page }) => {
		const slider = page.getByRole("slider", { name: "Speed" });
		const box = await slider.boundingBox();
		if (box === null) throw new Error("no slider");
		await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2);
		await page.mouse.down();
		const pushed = await slider.inputValue();
		await retold(page);
		await page.waitForTimeout(100);
		expect(await slider.inputValue()).toBe(pushed);
		await page.mouse.up();
		expect(await slider.inputValue()).toBe("0");
	}));

it("of a device that is not heard, nothing is said to be so, and Stop can be pressed", () =>
	at("held", async ({ page }) => {
		await page.evaluate(() => {
			const { engine } = globalThis as unknown as { engine: { scene: { onOpen: FromWorker[] } } };
			for (const said of engine.scene.onOpen) if (said.type === "control.state") said.tickAgeMs = 12_300;
		});
		await page.getByText("Bob at the bench had control when last heard").waitFor();
		expect(await page.getByText("Not known", { exact: true }).count()).toBe(2);
		expect(await page.getByText("Safe", { exact: true }).count()).toBe(0);
		expect(await violations(page)).toEqual([]);
		await picture(page, "control-silent");
		await page.getByRole("button", { name: "Stop", exact: true }).click();
		expect(await heard(page, "control.stop")).toHaveLength(1);
	}));

it("what is dangerous asks for its name", () =>
	at("driving", async ({ page }) => {
		await page.getByRole("button", { name: "Run Write the firmware" }).click();
		const sure = page.getByRole("button", { name: "Do it" });
		expect(await sure.isDisabled()).toBe(true);
		await picture(page, "control-danger");
		await page.getByRole("dialog").getByRole("button", { name: "Stop", exact: true }).click();
		expect(await heard(page, "control.stop")).toHaveLength(1);
		expect(await violations(page)).toEqual([]);
		await page.getByLabel(/type its name/).focus();
		await page.keyboard.type("flash");
		await page.keyboard.press("Enter");
		expect(await heard(page, "control.call")).toMatchObject([{ method: "flash", lease: true }]);
	}));

it("a device without a machine has no control, and Esc says nothing", () =>
	at("device", async ({ page }) => {
		expect(await page.getByRole("button", { name: "Stop", exact: true }).count()).toBe(0);
		await page.keyboard.press("Escape");
		await page.keyboard.press("w");
		expect([await heard(page, "control.stop"), await heard(page, "hand")]).toEqual([[], []]);
	}));
