import { afterEach, expect, test, vi } from "vitest";
import { Loop } from "./loop";

afterEach(() => {
	vi.unstubAllGlobals();
	vi.restoreAllMocks();
});

/** A page whose four drawings take a ms each; it tells what each of the next frames, 20 ms apart, draws and writes. */
function page(steered: boolean): (frames: number) => string[] {
	let now = 10_000;
	let next: () => void = () => undefined;
	vi.spyOn(performance, "now").mockImplementation(() => now);
	vi.stubGlobal("document", { hidden: false, addEventListener: () => undefined });
	vi.stubGlobal("cancelAnimationFrame", () => undefined);
	vi.stubGlobal("requestAnimationFrame", (call: () => void) => {
		next = call;
		return 1;
	});
	let did = "";
	const loop = new Loop({ frame: () => now, slow: () => undefined, steered: () => steered });
	for (const name of "abcd") {
		const draw = () => {
			did += name;
			now += 1;
		};
		const write = () => {
			did += name.toUpperCase();
		};
		loop.add({ visible: true, draw, write });
	}
	return (frames) =>
		Array.from({ length: frames }, () => {
			did = "";
			now += 20;
			next();
			return did;
		});
}

test("a frame draws all that it has time for", () => {
	expect(page(false)(3)).toEqual(["ABCDabcd", "abcd", "abcd"]);
});

test("while a hand is there a frame writes or draws little, in turns", () => {
	expect(page(true)(4)).toEqual(["ABCD", "abc", "dab", "cda"]);
});
