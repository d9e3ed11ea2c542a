// A phone under somebody's thumbs, for hand.mjs: fingers reach the page as the browser's own input, not as events of a script.

/** The tablet or phone that the page is shown on from now on. */
export async function becomePhone(devtools, width, height) {
	await devtools.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 2, mobile: true });
	await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 5 });
}

/** Thumbs are one on the page's stick, and another one beside it. */
export class Thumbs {
	#first; // where it is; undefined: it is not down

	constructor(page, devtools) {
		this.page = page;
		this.devtools = devtools;
	}

	/** Puts it down in the middle of the stick and moves it, by its radius: right and up are positive, the edge is at 1. */
	async down(x, y) {
		const stick = this.page.locator("[data-stick]");
		await stick.evaluate((it) => it.scrollIntoView({ block: "center" })); // not under the bar with the stop
		const box = await stick.boundingBox();
		this.middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
		this.radius = box.width / 2;
		this.#first = { ...this.middle, id: 1 };
		await this.#send("touchStart", [this.#first]);
		await this.move(x, y);
	}

	async move(x, y) {
		this.#first = { x: this.middle.x + x * this.radius, y: this.middle.y - y * this.radius, id: 1 };
		await this.#send("touchMove", [this.#first]);
	}

	/** Presses a button with the other one, while the first holds what it holds. */
	async press(button) {
		const box = await button.boundingBox();
		const second = { x: box.x + box.width / 2, y: box.y + box.height / 2, id: 2 };
		await this.#send("touchStart", [this.#first, second]);
	}

	/** Lifts whatever is down. */
	up() {
		return this.#end("touchEnd");
	}

	/** The system takes the touch for itself: a gesture from the edge of the screen, a call. */
	cancel() {
		return this.#end("touchCancel");
	}

	async #end(type) {
		if (this.#first === undefined) return;
		this.#first = undefined;
		await this.#send(type, []);
	}

	#send(type, touchPoints) {
		return this.devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
	}
}
