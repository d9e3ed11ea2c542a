import { expect, test } from "vitest";
import { Prober } from "./prober";

/** Times of this test are in ms. */
const next = (p: Prober, at: number) => p.next(at * 1000, true);

test("until one is answered full probes are two, and then one a second", () => {
	const p = new Prober("udp");
	const full = [10, 110, 410, 1_010, 1_110, 1_410, 2_110].map((at) => next(p, at).full);
	expect(full).toEqual([true, true, false, false, true, false, true]);
});

test("only the answer to a full one proves the path", () => {
	const p = new Prober("udp");
	const probes = [10, 110, 410].map((at) => next(p, at));
	const echo = (i: number) => {
		const probe = probes[i];
		return probe === undefined ? null : p.echo({ ...probe, t2: probe.t1, t3: probe.t1 }, 500_000);
	};
	expect(echo(2)).toBeNull();
	expect(next(p, 1_200).full).toBe(true);
	expect(echo(0)).toBe(490);
	expect(next(p, 9_000).full).toBe(false);
});

test("where TCP cuts what it carries a small one proves the path", () => {
	for (const rung of ["ws", "sse", "poll"] as const) {
		const p = new Prober(rung);
		const probe = next(p, 10);
		expect(probe.full).toBe(false);
		expect(p.echo({ ...probe, t2: probe.t1, t3: probe.t1 }, 60_000)).toBe(50);
	}
});
