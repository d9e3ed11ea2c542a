// What a person does with the page of a machine, for watch.mjs: each verb is what follows its name on a line.

import { inputVerbs } from "./input.mjs";
import { mappingVerb, padVerb } from "./pad.mjs";
import { becomePhone, Thumbs } from "./touch.mjs";

/** Verbs by name; each gets the words behind it. */
export async function handVerbs(page, context) {
	const devtools = await context.newCDPSession(page);
	const thumbs = new Thumbs(page, devtools);
	let cover;
	return {
		/** "key down ArrowUp", "key up ArrowUp", "key press Escape" */
		key: ([how, key]) => page.keyboard[how](key),
		/** "click Take control": a button, by its name. */
		click: (name) => button(page, name).click(),
		/** "hold 1200 Hold to reset": pressed for so many ms. */
		hold: ([ms, ...name]) => button(page, name).click({ delay: Number(ms) }),
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
			await devtools.send("Emulation.setFocusEmulationEnabled", { enabled: false });
			await page.bringToFront(); // what it takes for real: without, some versions leave it the focus that was emulated
			cover = await context.newPage();
			await cover.bringToFront();
		},
		uncover: async () => {
			await cover.close();
			await page.bringToFront();
		},
		/** "phone 360 740": from now on it is shown on one of that size, which is touched. */
		phone: ([width, height]) => becomePhone(devtools, Number(width), Number(height)),
		/** "touch down 0 1", "touch move 1 0", "touch up", "touch cancel": a thumb on the stick; "touch press Stop": another one beside it. */
		touch: ([how, ...words]) => (how === "press" ? thumbs.press(button(page, words)) : thumbs[how](...words.map(Number))),
		/** "scrolled": how far down the page is. */
		scrolled: () => page.evaluate(() => window.scrollY),
		pad: padVerb(page),
		mapping: mappingVerb(page),
		...inputVerbs(page, thumbs),
	};
}

/** Does what a line of one of these verbs asks for, and says so before and after it. */
export async function obey(verbs, line, say) {
	const [verb, ...words] = line.split(" ");
	if (!Object.hasOwn(verbs, verb)) return;
	say({ type: "does", text: line });
	const value = await verbs[verb](words);
	say({ type: "did", text: line, value });
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
