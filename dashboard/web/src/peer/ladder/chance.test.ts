import { expect, test } from "vitest";
import { Random } from "../wire/testing";
import { Ladder, RUNGS } from ".";

/** World plays chance to a ladder and knows which carriers were proven since they opened. */
class World {
	readonly ladder = new Ladder();
	now = 1000 * Math.PI; // real clocks have fractions
	private readonly open = new Set<number>();
	private readonly proven = new Set<number>();
	private lastId = 0;

	constructor(private readonly random: Random) {}

	event(): void {
		this.now += this.random.next() * 10 ** this.random.int(0, 4);
		const id = this.open.size > 0 ? this.random.pick([...this.open]) : 0;
		switch (this.random.int(0, 6)) {
			case 0:
				if (this.open.size < 4) this.up();
				break;
			case 1:
				this.down(id);
				break;
			case 2:
				this.ladder.doubt(this.now, id);
				break;
			case 3:
				this.ladder.watch(this.now, this.random.int(0, 3) > 0);
				break;
			case 4:
				this.ladder.heard(this.now, id);
				break;
			default:
				this.proved(id);
		}
	}

	/** settle steps now and at the next wakes, and checks each decision. */
	settle(): void {
		for (let n = 0; n < 4; n++) {
			const { use, probe, wake } = this.ladder.step(this.now);
			for (const id of probe) this.ladder.probed(this.now, id);
			expect(wake).toBeGreaterThan(this.now);
			expect(use.length).toBeLessThanOrEqual(2);
			for (const id of use) expect(this.proven.has(id)).toBe(true);
			const usable = [...this.open].some((id) => this.ladder.state(id).usable);
			expect(use.length > 0).toBe(usable);
			if (wake === Infinity) return;
			this.now = wake;
		}
	}

	private up(): void {
		this.ladder.up(this.now, ++this.lastId, this.random.pick(RUNGS));
		this.open.add(this.lastId);
	}

	private down(id: number): void {
		this.ladder.down(this.now, id);
		this.open.delete(id);
		this.proven.delete(id);
	}

	private proved(id: number): void {
		this.ladder.proved(this.now, id, this.random.next() * 300);
		if (this.open.has(id)) this.proven.add(id);
	}
}

test("whatever happens, a wake is in the future, and what is used was proven", () => {
	for (let seed = 1; seed <= 20; seed++) {
		const world = new World(new Random(seed));
		for (let n = 0; n < 100; n++) {
			world.event();
			world.settle();
		}
	}
});
