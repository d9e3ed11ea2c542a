import { expect, test } from "vitest";
import { waitingCall } from "../../port";
import type { Entry } from "../state/control.svelte";
import { BAD_LINK, CHOICES, chosen } from "./link";

const call = (change: Partial<Entry>, method = BAD_LINK): Entry => ({
	...waitingCall("an id", method),
	at: 1_000,
	params: { delay: 50, loss: 5 },
	...change,
});

test("the link is what was done last from here, for five minutes", () => {
	const done = call({ state: "done" });
	const log = [call({ state: "running" }, "honk"), done, call({ state: "done", params: { delay: 0, loss: 0 } })];
	expect(chosen(log, 1_000).choice?.name).toBe("100 ms, 5 %");
	expect(chosen(log, 61_000).words).toMatch(/Perfect again in 4 min/);
	expect(chosen(log, 302_000).choice).toBe(CHOICES[0]);
	expect(chosen([call({ state: "done", params: { delay: 7, loss: 5 } })], 1_000).choice).toBeNull();
	expect(chosen([], 1_000).choice).toBeNull();
});

test("what was not done is not claimed", () => {
	expect(chosen([call({})], 1_000)).toEqual({ choice: null, words: "Setting it: waiting." });
	expect(chosen([call({ state: "failed", reason: "no link" })], 1_000).words).toBe("Setting it: failed, no link.");
});
