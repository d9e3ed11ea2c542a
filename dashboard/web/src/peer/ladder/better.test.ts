import { expect, test } from "vitest";
import { better, type Rank } from "./better";

test("better is an order", () => {
	const rank = (sound: boolean, height: number, used: boolean, born: number): Rank => ({
		sound,
		height,
		used,
		born,
	});
	// From best to worst: each is better than all below it, and never the other way.
	const order = [
		rank(true, 0, true, 1),
		rank(true, 0, false, 9),
		rank(true, 0, false, 2),
		rank(true, 1, true, 3),
		rank(true, 1, false, 8),
		rank(true, 7, false, 15),
		rank(true, 9, false, 17),
		rank(false, 0, true, 4),
		rank(false, 7, true, 6),
		rank(false, 0, false, 7),
		rank(false, 0, false, 5),
		rank(false, 7, false, 18),
	];
	for (const [i, a] of order.entries()) {
		for (const [j, b] of order.entries()) expect(better(a, b), `${i} and ${j}`).toBe(i < j);
	}
});
