import { describe, expect, test } from "vitest";
import { parseTime, scenarios } from "../wire/scenario.testing";
import { type Decision, Ladder, parseRung } from ".";

// Plays peer/ladder/testdata/*.scenario; README.md there has the grammar.

interface Answer {
	at: number;
	id: number;
	rtt: number;
}

/** Player is a ladder in a simulated world. */
class Player {
	private readonly ladder = new Ladder();
	private readonly names: string[] = []; // by id − 1
	private readonly answering = new Map<number, number>();
	private readonly answers: Answer[] = []; // under way, by time
	private last: Decision | null = null;

	/** event plays one line but its checks. */
	event(now: number, [verb = "", ...args]: string[]): void {
		this.advance(now);
		this.play(now, verb, args);
		this.step(now);
	}

	/** check is what a check sees, in the words of the scenario. */
	check(now: number, [what = "", ...want]: string[]): string[] {
		const sorted = (ids: readonly number[] = []) => [what, ...this.named(ids, [...want])];
		switch (what) {
			case "use":
				return [what, ...this.named(this.last?.use ?? [])];
			case "pair":
				return [what, ...this.named(this.last?.pair ?? [])];
			case "probe":
				return sorted(this.last?.probe);
			case "replace":
				return sorted(this.last?.replace);
			case "reason":
				return [what, ...`"${this.last?.reason}"`.split(" ")];
			case "wake":
				return [what, this.wake(want[0] ?? "")];
			case "state":
				return [what, want[0] ?? "", ...want.slice(1).map((word) => this.state(now, this.id(want[0]), word))];
			default:
				return [`no check ${what}`];
		}
	}

	/** advance lets everything happen that is due before now, and the answers due now. */
	private advance(now: number): void {
		for (;;) {
			const wake = this.last?.wake ?? Infinity;
			const [next] = this.answers;
			if (next !== undefined && next.at <= Math.min(now, wake)) {
				this.answers.shift();
				this.ladder.proved(next.at, next.id, next.rtt);
				this.step(next.at);
			} else if (wake < now) this.step(wake);
			else return;
		}
	}

	private step(now: number): void {
		this.last = this.ladder.step(now);
		for (const id of this.last.probe) {
			this.ladder.probed(now, id);
			const rtt = this.answering.get(id);
			if (rtt === undefined) continue;
			this.answers.push({ at: now + rtt, id, rtt });
			this.answers.sort((a, b) => a.at - b.at);
		}
	}

	private play(now: number, verb: string, args: string[]): void {
		if (verb === "step") return;
		if (verb === "watch") {
			this.ladder.watch(now, args[0] === "on");
			return;
		}
		if (verb === "rest") {
			this.ladder.rest(args[0] === "on");
			return;
		}
		const id = this.id(args[0]);
		const option = new Map(args.slice(1).map((arg) => [arg.split("=")[0], arg.split("=")[1] ?? ""]));
		const rtt = option.has("rtt") ? parseTime(option.get("rtt") ?? "") : 0;
		const verbs: Record<string, () => void> = {
			up: () => this.ladder.up(now, id, parseRung(option.get("rung") ?? "") ?? fail("no such rung")),
			rerung: () => this.ladder.rerung(id, parseRung(option.get("rung") ?? "") ?? fail("no such rung")),
			down: () => {
				this.answering.delete(id);
				this.ladder.down(now, id);
			},
			heard: () => this.ladder.heard(now, id),
			proved: () => this.ladder.proved(now, id, rtt),
			doubt: () => {
				this.ladder.heard(now, id);
				this.ladder.doubt(now, id);
			},
			answer: () => this.answering.set(id, rtt),
			mute: () => this.answering.delete(id),
		};
		(verbs[verb] ?? (() => fail(`no verb ${verb}`)))();
	}

	private wake(want: string): string {
		const at = this.last?.wake ?? Infinity;
		if (at === Infinity) return "never";
		return want !== "never" && near(at, parseTime(want)) ? want : `${at}ms`;
	}

	private state(now: number, id: number, word: string): string {
		const s = this.ladder.state(id);
		const [name, value = ""] = word.split("=");
		switch (name) {
			case "usable":
			case "unusable":
				return s.usable ? "usable" : "unusable";
			case "late":
			case "early":
				return s.late ? "late" : "early";
			case "doubt":
			case "sound":
				return s.inDoubt ? "doubt" : "sound";
			case "rtt":
				return near(s.rtt, parseTime(value)) ? word : `rtt=${s.rtt}ms`;
			case "var":
				return near(s.variation, parseTime(value)) ? word : `var=${s.variation}ms`;
			case "heard":
				return `heard=${this.ladder.heardRecently(now, id) ? "yes" : "no"}`;
			default:
				return `no word ${word}`;
		}
	}

	private id(name = ""): number {
		if (!this.names.includes(name)) this.names.push(name);
		return this.names.indexOf(name) + 1;
	}

	/** named are the carriers' names, "-" if there are none; a set is put into the order that is wanted. */
	private named(ids: readonly number[], order: string[] = []): string[] {
		const names = ids.map((id) => this.names[id - 1] ?? "?");
		const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
		return names.length === 0 ? ["-"] : order.length === 0 ? names : names.sort((a, b) => place(a) - place(b));
	}
}

function near(a: number, b: number): boolean {
	return Math.abs(a - b) <= 0.01;
}

function fail(message: string): never {
	throw new Error(message);
}

describe.each(scenarios("peer/ladder/testdata/"))("$name", ({ lines }) => {
	test("plays as written", () => {
		const player = new Player();
		for (const { number, now, event, checks } of lines) {
			player.event(now, event);
			for (const check of checks) expect(player.check(now, check), `line ${number}`).toEqual(check);
		}
	});
});

test("there are scenarios", () => {
	expect(scenarios("peer/ladder/testdata/").length).toBeGreaterThan(5);
});
