// What a person does with the page of a machine, for watch.mjs: each verb is what follows its name on a line.

/** Verbs by name; each gets the words behind it. */
export function handVerbs(page, context) {
	let cover;
	let finger;
	let touches = false;
	return {
		/** "key down ArrowUp", "key up ArrowUp", "key press Escape" */
		key: ([how, key]) => page.keyboard[how](key),
		/** "click Take control": a button, by its name. */
		click: (name) => button(page, name).click(),
		/** "hold 1200 Hold to reset": pressed for so many ms. */
		hold: ([ms, ...name]) => button(page, name).click({ delay: Number(ms) }),
		/** "touch 0 -60": a finger on the stick, that far from its middle in px; "touch": lifted. */
		touch: async (to) => {
			finger ??= await context.newCDPSession(page);
			const stick = await page.locator("[data-stick]").boundingBox();
			const [dx, dy] = to.map(Number);
			const points = to.length === 0 ? [] : [{ x: stick.x + stick.width / 2 + dx, y: stick.y + stick.height / 2 + dy }];
			const type = points.length === 0 ? "touchEnd" : touches ? "touchMove" : "touchStart";
			touches = points.length > 0;
			await finger.send("Input.dispatchTouchEvent", { type, touchPoints: points });
		},
		/** "pad 0 -1": a game pad's stick, at rest before; "pad": there is none any more. The browser has no real one: the page is told so here. */
		pad: (axes) => page.evaluate(fakePad, axes.map(Number)),
		/** "width 360" of the window */
		width: ([width]) => page.setViewportSize({ width: Number(width), height: 900 }),
		/** "into view Hold to drive": what bears these words */
		into: ([, ...words]) => page.getByText(words.join(" ")).first().scrollIntoViewIfNeeded(),
		/** "hang 2000": the page's main thread does nothing else for so many ms; when it began to, in ms since 1970. */
		hang: ([ms]) =>
			page.evaluate((most) => {
				const began = performance.now();
				while (performance.now() < began + most);
				return performance.timeOrigin + began;
			}, Number(ms)),
		/** "hide", "show": what a page is told when its tab is hidden. A headless Chromium never hides one: it says so itself here. */
		hide: () => visibility(page, true),
		show: () => visibility(page, false),
		/** "cover", "uncover": another tab comes to the front, and goes. */
		cover: async () => {
			const devtools = await context.newCDPSession(page);
			await devtools.send("Emulation.setFocusEmulationEnabled", { enabled: false });
			cover = await context.newPage();
			await cover.bringToFront();
		},
		uncover: async () => {
			await cover.close();
			await page.bringToFront();
		},
	};
}

/** Runs in the page: a pad that it finds from now on, with its stick there; without axes: it is gone. */
function fakePad(axes) {
	const before = window.fakePadAxes;
	window.fakePadAxes = axes;
	navigator.getGamepads = () => {
		const now = window.fakePadAxes;
		return now.length === 0 ? [null] : [{ id: "A fake pad", index: 0, connected: true, mapping: "standard", axes: now, buttons: [], timestamp: performance.now() }];
	};
	if (axes.length === 0) window.dispatchEvent(new GamepadEvent("gamepaddisconnected"));
	else if (!before?.length) window.dispatchEvent(new GamepadEvent("gamepadconnected"));
}

function button(page, name) {
	return page.getByRole("button", { name: name.join(" "), exact: true });
}

function visibility(page, hidden) {
	return page.evaluate((value) => {
		Object.defineProperty(document, "hidden", { value, configurable: true });
		document.dispatchEvent(new Event("visibilitychange"));
	}, hidden);
}

/** What the page says of control: its section and the bar with the stop. */
export async function controlText(page) {
	const parts = [page.locator("section[aria-labelledby='control-title']"), page.getByRole("region", { name: "Stop", exact: true })];
	const texts = await Promise.all(parts.map((part) => part.innerText({ timeout: 5_000 })));
	return texts.join(" ").replace(/\s+/g, " ");
}
