import { expect, test, vi } from "vitest";
import { Awake, type Screen } from "./awake";

/** granted is a browser that grants after a moment, and counts what is on. */
function browser(): { screen: Screen; on: () => number; most: () => number } {
	let on = 0;
	let most = 0;
	const request = async () => {
		await Promise.resolve();
		most = Math.max(most, ++on);
		return {
			release: async () => {
				on--;
			},
		};
	};
	return { screen: { request }, on: () => on, most: () => most };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

test("the screen is kept on while a hand is there, and no longer", async () => {
	const { screen, on } = browser();
	const awake = new Awake(screen);
	awake.set(true);
	awake.set(true);
	await settle();
	expect(on()).toBe(1);
	awake.set(false);
	awake.set(false);
	await settle();
	expect(on()).toBe(0);
});

test("a hand that has gone before it was granted leaves nothing on", async () => {
	const { screen, on, most } = browser();
	const awake = new Awake(screen);
	awake.set(true);
	awake.set(false);
	await settle();
	expect([on(), most()]).toEqual([0, 1]);
});

test("a browser that refuses, or does not have it, is no trouble", async () => {
	const refuses = { request: vi.fn(() => Promise.reject(new Error("the battery is low"))) };
	const awake = new Awake(refuses);
	awake.set(true);
	awake.set(false);
	await settle();
	awake.set(true);
	expect(refuses.request).toHaveBeenCalledTimes(2);
	new Awake(undefined).set(true);
});
