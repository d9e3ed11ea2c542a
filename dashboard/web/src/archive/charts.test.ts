import { afterEach, expect, test, vi } from "vitest";
import { ChartArchive } from "./charts";

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

test("a browser whose storage does not answer holds up the picture for a second", async () => {
	vi.useFakeTimers();
	vi.stubGlobal("indexedDB", { open: () => ({}) }); // neither success nor error ever comes
	let loaded: unknown;
	void new ChartArchive().load("rover", 0).then((pieces) => {
		loaded = pieces;
	});
	await vi.advanceTimersByTimeAsync(999);
	expect(loaded).toBeUndefined();
	await vi.advanceTimersByTimeAsync(1);
	expect(loaded).toEqual([]);
});

test("one without storage draws at once", async () => {
	vi.stubGlobal("indexedDB", undefined);
	expect(await new ChartArchive().load("rover", 0)).toEqual([]);
});
