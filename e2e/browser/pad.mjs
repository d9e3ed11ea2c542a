// A game pad that is none: no browser lets one be plugged in by a program, so the page is given another navigator.getGamepads.

/** Handed to addInitScript: it must not use anything from outside. */
export function fakePads() {
	let pad = null;
	navigator.getGamepads = () => [pad, null, null, null];
	const tell = (type) => window.dispatchEvent(new Event(type));
	window.fakePad = {
		plug(mapping, axes) {
			const buttons = Array.from({ length: 17 }, () => ({ pressed: false, touched: false, value: 0 }));
			pad = { id: `Fake pad (${mapping || "raw"})`, index: 0, connected: true, mapping, axes, buttons, timestamp: performance.now() };
			tell("gamepadconnected");
		},
		axes(axes) {
			if (pad !== null) pad = { ...pad, axes, timestamp: performance.now() };
		},
		unplug() {
			pad = null;
			tell("gamepaddisconnected");
		},
	};
}

/** What somebody does with it: "pad plug standard 0 0", "pad plug raw 0 0 0 0", "pad axes 0 -1", "pad unplug". */
export function padVerb(page) {
	const numbers = (words) => words.map(Number);
	return ([what, ...words]) => {
		if (what === "plug") {
			const [mapping, ...axes] = words;
			return page.evaluate(([m, a]) => window.fakePad.plug(m, a), [mapping === "standard" ? mapping : "", numbers(axes)]);
		}
		if (what === "axes") return page.evaluate((axes) => window.fakePad.axes(axes), numbers(words));
		return page.evaluate(() => window.fakePad.unplug());
	};
}

/** "mapping raw 3 2": which axes of the pad count, in the page's own settings. */
export function mappingVerb(page) {
	return async ([mapping, x, y]) => {
		const settings = page.locator("details").filter({ hasText: "Dead zone" });
		if ((await settings.getAttribute("open")) === null) await settings.locator("summary").click();
		await settings.getByLabel("Mapping").selectOption(mapping);
		if (mapping !== "raw") return;
		await settings.getByLabel("Axis across").fill(x);
		await settings.getByLabel("Axis up").fill(y);
		await settings.getByLabel("Axis up").blur();
	};
}
