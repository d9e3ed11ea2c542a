import { describe, expect, test } from "vitest";
import {
	appendFrame,
	appendParity,
	appendReceipt,
	appendSerial,
	eachFrame,
	hop,
	type Parity,
	parseReceipt,
	TYPE_DATA,
	TYPE_PARITY,
	TYPE_SERIAL,
	Writer,
} from "../wire";
import { scenarios } from "../wire/scenario.testing";
import { Random } from "../wire/testing";
import { In } from ".";

// peer/live/testdata/README.md has the grammar of the scenarios.

/** InWorld plays in-*.scenario. */
class InWorld {
	private readonly live = new In();
	private readonly contents = new Map<number, Uint8Array>(); // of all packets, lost ones too

	/** event does what a line says, and says what came of it, in the words of the checks. */
	event(now: number, [verb = "", ...args]: string[]): Record<string, string[]> {
		const out = this.play(now, verb, args);
		const receipt = this.live.receipt(now);
		const at = this.live.wake();
		const wake = at === Infinity ? [] : [`${Math.floor(at)}`];
		if (receipt === null) return { out, receipt: [], wake };
		const runs = receipt.runs.map(({ came, missed }) => `${came}+${missed}`);
		return { out, receipt: [`${receipt.newest}`, `${receipt.held}`, ...runs], wake };
	}

	private play(now: number, verb: string, args: string[]): string[] {
		const number = Number(args[0] ?? 0) || 0; // 0: bare has none
		const content = frames(option(args, "content") ?? `p${number}`);
		this.contents.set(number, content);
		if (verb === "bare") return this.receive(now, content);
		if (verb !== "packet") return []; // lost, step
		const serial = { number, ask: args.includes("ask"), quick: args.includes("quick"), kept: args.includes("kept") };
		const packet = appendFrame(new Writer(), TYPE_SERIAL, hop(), appendSerial(new Writer(), serial).finish());
		packet.append(content);
		for (const lags of option(args, "parity")?.split("+") ?? []) {
			const body = appendParity(new Writer(), this.parity(number, lags.split(",").map(Number))).finish();
			appendFrame(packet, TYPE_PARITY, hop(), body);
		}
		return this.receive(now, packet.finish());
	}

	private parity(number: number, lags: number[]): Parity {
		const covered = lags.map((lag) => this.contents.get(lag < number ? number - lag : -1) ?? new Uint8Array());
		const bytes = new Uint8Array(Math.max(...covered.map((c) => c.length)));
		for (const content of covered) for (const [i, byte] of content.entries()) bytes[i] = (bytes[i] ?? 0) ^ byte;
		return { lags, length: covered.reduce((sum, c) => sum ^ c.length, 0), bytes };
	}

	private receive(now: number, packet: Uint8Array): string[] {
		const contents: Uint8Array[] = [];
		this.live.receive(now, packet, contents);
		return contents.flatMap(words);
	}
}

function option(args: string[], name: string): string | undefined {
	return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}

function frames(text: string): Uint8Array {
	const w = new Writer();
	for (const word of text.split(",")) {
		if (word !== "-") appendFrame(w, TYPE_DATA, hop(), new TextEncoder().encode(word));
	}
	return w.finish();
}

function words(content: Uint8Array): string[] {
	const found: string[] = [];
	eachFrame(
		content,
		(frame) => found.push(new TextDecoder().decode(frame.body)),
		(error) => found.push(error.fault),
	);
	return found;
}

const all = scenarios("peer/live/testdata/");

test("there are scenarios", () => {
	expect(all.length).toBeGreaterThan(2);
});

describe.each(all)("$name", ({ lines }) => {
	test("plays as written", () => {
		const world = new InWorld();
		for (const { number, now, event, checks } of lines) {
			const have = world.event(now, event);
			for (const [what = "", ...want] of checks) {
				expect(have[what], `line ${number}: ${what}`).toEqual(want[0] === "-" ? [] : want);
			}
		}
	});
});

test("whatever comes, nothing longer is made of it, and the receipt is one", () => {
	const random = new Random(1);
	for (let round = 0; round < 300; round++) {
		const live = new In();
		let longest = 0;
		for (let n = 0; n < 40; n++) {
			const number = random.int(1, 60);
			const serial = { number, ask: random.bool(), quick: random.bool(), kept: random.bool() };
			const w = appendFrame(new Writer(), TYPE_SERIAL, hop(), appendSerial(new Writer(), serial).finish());
			for (let rest = random.int(0, 40); rest > 0; rest--) w.u8(random.int(0, 12));
			const packet = w.finish();
			longest = Math.max(longest, packet.length);
			const out: Uint8Array[] = [];
			live.receive(n * 10, packet, out);
			for (const content of out) expect(content.length).toBeLessThanOrEqual(longest);
			const receipt = live.receipt(n * 10);
			if (receipt === null) continue;
			expect(parseReceipt(appendReceipt(new Writer(), receipt).finish())).toEqual(receipt);
		}
	}
});
