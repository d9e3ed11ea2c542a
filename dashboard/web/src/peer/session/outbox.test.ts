import { expect, test } from "vitest";
import type { Header } from "../wire";
import { Random } from "../wire/testing";
import { type Batch, Budget, type Delivery, Early, Flight, Inbox, type Item, Outbox, Ring } from ".";
import {
	type Arguments,
	EPOCH,
	fail,
	formatRange,
	formatTime,
	parseBatch,
	parseRange,
	playAll,
	type World,
} from "./scenario.testing";

/** OutboxWorld plays outbox-*.scenario. */
class OutboxWorld implements World {
	private readonly budgets = new Map<string, Budget>();
	private readonly rings = new Map<string, Ring>();
	private readonly flights = new Map<string, Flight>();
	private readonly boxes = new Map<string, Outbox>(); // in the order in which they were made
	private items: Item[] = [];
	private followed: string[] = [];

	event(now: number, verb: string, args: Arguments): void {
		this.items = [];
		this.followed = [];
		const name = args.words[0] ?? "";
		switch (verb) {
			case "step":
				return;
			case "budget":
				this.budgets.set(name, new Budget(limit(args)));
				return;
			case "ring":
				this.rings.set(name, new Ring(args.number("epoch", EPOCH), this.budgets.get(args.text("budget", ""))));
				return;
			case "flight":
				this.flights.set(name, new Flight(limit(args)));
				return;
			case "outbox": {
				const flight = get(this.flights, args.text("flight", ""));
				this.boxes.set(name, new Outbox(get(this.rings, args.text("ring", "")), 1, flight, args.number("after", 0)));
				return;
			}
			case "push":
				this.push(now, get(this.rings, name), { ...parseBatch(args.word(1)), body: body(args) });
				return;
			case "many": {
				const ring = get(this.rings, name);
				for (let n = Number(args.word(1)); n > 0; n--)
					this.push(now, ring, { seq: ring.head + 1, count: 1, body: body(args) });
				return;
			}
			default:
				this.boxEvent(now, verb, get(this.boxes, name), args);
		}
	}

	check(_: number, what: string, want: string[]): string[] {
		const [name = ""] = want;
		switch (what) {
			case "items":
				return formatItems(this.items);
			case "follows":
				return this.followed;
			case "following":
				return [...this.boxes].filter(([, box]) => box.following()).map(([follower]) => follower);
			case "wake": {
				const at = get(this.boxes, name).wake();
				return [name, at === Infinity ? "never" : formatTime(at, want[1])];
			}
			case "oldest":
				return [name, `${get(this.rings, name).oldest()}`];
			case "head":
				return [name, `${get(this.rings, name).head}`];
			case "start":
				return [name, `${get(this.boxes, name).start}`];
			case "used":
				return [name, `${(this.budgets.get(name) ?? get(this.flights, name)).used}`];
			default:
				return fail(`no check ${what}`);
		}
	}

	private push(now: number, ring: Ring, batch: Batch): void {
		ring.push(now, batch);
		const boxes = [...this.boxes].filter(([, box]) => box.ring === ring);
		this.followed = boxes.filter(([, box]) => box.follows(now, batch)).map(([name]) => name);
	}

	private boxEvent(now: number, verb: string, box: Outbox, args: Arguments): void {
		const verbs: Record<string, () => void> = {
			next: () => {
				this.items = drain(box, now, args.time("rtt", 40));
			},
			ack: () => {
				const received = args.words.slice(2).map(parseRange);
				box.ack(now, { stream: 1, epoch: args.number("epoch", EPOCH), seq: Number(args.word(1)), received });
			},
			switched: () => box.switched(now),
			refused: () => box.refused(Number(args.word(1))),
			close: () => box.close(),
		};
		(verbs[verb] ?? (() => fail(`no verb ${verb}`)))();
	}
}

/** limit is the option bytes; undefined: the default. */
const limit = (args: Arguments) => args.number("bytes", 0) || undefined;
const body = (args: Arguments) => new Uint8Array(args.number("size", 100));

function get<T>(map: ReadonlyMap<string, T>, name: string): T {
	return map.get(name) ?? fail(`${name} was not made`);
}

function drain(box: Outbox, now: number, rtt: number): Item[] {
	const items: Item[] = [];
	for (let item = box.next(now, rtt); item !== null; item = box.next(now, rtt)) items.push(item);
	return items;
}

/** formatItems writes runs of three and more equal, consecutive batches as N*SEQ+COUNT. */
function formatItems(items: readonly Item[]): string[] {
	const words: string[] = [];
	for (let i = 0; i < items.length; ) {
		const item = items[i];
		if (item === undefined || item.gap !== null) {
			words.push(item === undefined ? "?" : `gap:${formatRange(item.gap)}`);
			i++;
			continue;
		}
		const { seq, count } = item.batch;
		let n = 1;
		while (continues(items[i + n], seq + n * count, count)) n++;
		if (n < 3) n = 1;
		words.push(n === 1 ? `${seq}+${count}` : `${n}*${seq}+${count}`);
		i += n;
	}
	return words;
}

function continues(item: Item | undefined, seq: number, count: number): boolean {
	return item?.gap === null && item.batch.seq === seq && item.batch.count === count;
}

playAll("outbox", () => new OutboxWorld());

test("a batch that is not beyond the head is ignored", () => {
	const ring = new Ring(EPOCH);
	const none = new Uint8Array();
	ring.push(0, { seq: 1, count: 3, body: none });
	ring.push(0, { seq: 3, count: 1, body: none });
	ring.push(0, { seq: 4, count: 0, body: none });
	expect([ring.head, ring.oldest(), ring.from(4)]).toEqual([3, 1, null]);
});

/** Lossy is one Event stream from a Ring to an Inbox over a path that loses, repeats and delays what both ends send. */
class Lossy {
	readonly ring = new Ring(EPOCH, new Budget(6000));
	readonly outbox = new Outbox(this.ring, 1, new Flight(2000), 0);
	readonly inbox = new Inbox(1, "event", EPOCH, 0, new Early());
	readonly out: Delivery[] = [];
	now = Math.E; // real clocks have fractions
	private readonly underway: { at: number; arrive: () => void }[] = [];

	constructor(
		private readonly random: Random,
		public loss: number,
	) {}

	produce(): void {
		const batch = { seq: this.ring.head + 1, count: this.random.int(1, 5), body: this.random.bytes(50) };
		this.ring.push(this.now, batch);
		if (this.outbox.follows(this.now, batch)) this.send({ batch, gap: null });
	}

	run(until: number): void {
		while (this.now < until) {
			for (const item of drain(this.outbox, this.now, 40)) this.send(item);
			if (this.inbox.ackDue() <= this.now) this.acknowledge();
			const next = Math.min(this.outbox.wake(), this.inbox.ackDue(), ...this.underway.map(({ at }) => at));
			expect(next).toBeGreaterThanOrEqual(this.now);
			this.now = Math.min(until, next);
			for (const { arrive } of this.arrived()) arrive();
		}
	}

	private arrived() {
		const due = this.underway.filter(({ at }) => at <= this.now);
		const rest = this.underway.filter(({ at }) => at > this.now);
		this.underway.splice(0, this.underway.length, ...rest);
		return due;
	}

	private send({ batch, gap }: Item): void {
		this.post(() => {
			if (gap !== null) this.inbox.gap(this.now, gap, this.out);
			else this.inbox.receive(this.now, headerOf(batch), batch.body, -1, this.out);
		});
	}

	private acknowledge(): void {
		const position = this.inbox.position();
		this.inbox.acked(this.now);
		this.post(() => this.outbox.ack(this.now, position));
	}

	private post(arrive: () => void): void {
		for (let copies = this.random.int(1, 5) === 1 ? 2 : 1; copies > 0; copies--) {
			if (this.random.next() >= this.loss) this.underway.push({ at: this.now + 5 + 50 * this.random.next(), arrive });
		}
	}
}

function headerOf({ seq, count }: Batch): Header {
	return { class: "event", stream: 1, epoch: EPOCH, seq, count, deadline: 0, key: 0, will: false };
}

test("over any path, all that was produced arrives in order or is declared missing", () => {
	for (let seed = 1; seed <= 10; seed++) {
		const random = new Random(seed);
		const path = new Lossy(random, random.next() * 0.6);
		for (let n = 0; n < 150; n++) {
			path.produce();
			path.run(path.now + random.next() * 60);
		}
		path.loss = 0;
		path.run(path.now + 30_000);
		let position = 0;
		for (const d of path.out) {
			const from = d.gap?.from ?? headerSeq(d);
			expect(from).toBe(position + 1);
			position = d.gap?.to ?? from + (d.gap === null ? d.take : 0) - 1;
		}
		expect(position).toBe(path.ring.head);
		expect(path.outbox.following()).toBe(true);
		expect(path.outbox.flight.used).toBe(0);
		expect(path.outbox.wake()).toBe(Infinity);
	}
});

function headerSeq(d: Delivery): number {
	return d.gap === null ? d.header.seq + d.skip : 0;
}
