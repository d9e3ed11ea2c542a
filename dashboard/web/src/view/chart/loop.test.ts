import { afterEach, expect, test, vi } from "vitest";
import { Loop } from "./loop";

afterEach(() => {
	vi.unstubAllGlobals();
	vi.restoreAllMocks();
});

/** Page is one whose drawings take a ms each; it tells what each of the next frames, 20 ms apart, draws, and writes in capitals; "-": none came. */
class Page {
	steered = false;
	filling = false;
	fetched = 0;
	readonly loop: Loop;
	private now = 10_000;
	private next: (() => void) | null = null;
	private timer: { at: number; call: () => void } | null = null;
	private did = "";

	constructor(names: string) {
		vi.spyOn(performance, "now").mockImplementation(() => this.now);
		vi.stubGlobal("document", { hidden: false, addEventListener: () => undefined });
		vi.stubGlobal("cancelAnimationFrame", () => undefined);
		vi.stubGlobal("requestAnimationFrame", (call: () => void) => {
			this.next = call;
			return 1;
		});
		vi.stubGlobal("setTimeout", (call: () => void, ms: number) => {
			this.timer = { at: this.now + ms, call };
			return 1;
		});
		vi.stubGlobal("clearTimeout", () => {
			this.timer = null;
		});
		const fetch = () => {
			this.fetched++;
		};
		this.loop = new Loop({
			fetch,
			frame: () => this.now,
			slow: () => undefined,
			steered: () => this.steered,
			filling: () => this.filling,
		});
		for (const name of names) this.add(name);
	}

	add(name: string, steers = false): void {
		const draw = () => {
			this.did += name;
			this.now += 1;
		};
		const write = () => {
			this.did += name.toUpperCase();
		};
		this.loop.add({ visible: true, steers, draw, write });
	}

	/** crowd puts a hand there, and has the past come. */
	crowd(): void {
		this.steered = this.filling = true;
	}

	frames(count: number): string[] {
		return Array.from({ length: count }, () => {
			this.did = "";
			this.now += 20;
			if (this.timer !== null && this.now >= this.timer.at) this.timer.call();
			const { next } = this;
			this.next = null;
			if (next === null) return "-";
			next();
			return this.did;
		});
	}
}

test("a frame draws all that it has time for", () => {
	expect(new Page("abcd").frames(3)).toEqual(["ABCDabcd", "abcd", "abcd"]);
});

test("while a hand is there a frame writes or draws little, in turns", () => {
	const page = new Page("abcd");
	page.steered = true;
	expect(page.frames(4)).toEqual(["ABCD", "abc", "dab", "cda"]);
});

test("while the past comes, frames are as ever", () => {
	const page = new Page("abcd");
	page.filling = true;
	expect(page.frames(3)).toEqual(["ABCDabcd", "abcd", "abcd"]);
});

test("while a hand is there and the past comes, frames are seldom", () => {
	const page = new Page("abcd");
	page.crowd();
	const all = page.frames(21);
	expect(all.filter((did) => did !== "-")).toEqual(["ABCD", "abc", "ABCD", "dab", "ABCD"]);
	expect(all.indexOf("abc")).toBe(5);
});

test("an input has a frame behind it, unless one has just been", () => {
	const page = new Page("abcd");
	page.crowd();
	expect(page.frames(2)).toEqual(["ABCD", "-"]);
	page.loop.input();
	expect(page.frames(2)).toEqual(["-", "-"]);
	page.loop.input();
	expect(page.frames(3)).toEqual(["abc", "-", "-"]);
});

test("what shows a hand is in every frame that there is", () => {
	const page = new Page("abcd");
	page.add("m", true);
	expect(page.frames(1)).toEqual(["ABCDMabcdm"]);
	page.crowd();
	expect(page.frames(11).filter((did) => did !== "-")).toEqual(["mab", "mcd", "ABCDMm"]);
});

test("when the hand has gone, frames come as before", () => {
	const page = new Page("abcd");
	page.crowd();
	page.frames(4);
	page.steered = false;
	page.loop.input();
	expect(page.frames(3)).toEqual(["abcd", "abcd", "abcd"]);
});

test("what came is fetched for the next frame, and for one that was asked for when that is", () => {
	const page = new Page("abcd");
	page.frames(3);
	expect(page.fetched).toBe(3);
	page.crowd();
	page.frames(4); // the first of them was asked for before
	expect(page.fetched).toBe(3);
	page.loop.input();
	expect(page.fetched).toBe(4);
	page.frames(1);
	expect(page.fetched).toBe(4);
});
