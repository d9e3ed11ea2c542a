import type { Ending, LinkCarrier, LinkCarrierEvents, LinkRung } from "../carrier/link-carrier";
import type { Env } from "../env";
import { type Failure, failure } from "../failures";
import { height } from "../ladder";
import type { Refusal } from "../signal";
import type { Verdicts } from "./verdicts";

/** The next rung is tried after so long, in ms, or at once when one fails. */
const APART = 300;
/** A rung gets so many times what connecting took on this way on top: once to connect, twice for what goes there and back then. */
const SLOW_PARTS = 3;
/** However slow the way seems, nothing waits longer for that, in ms. */
const SLOW_AT_MOST = 2_700;
/** A carrier that brought no frame in this time, in ms, has failed. */
const FRAME_WITHIN = 10_000;
/** One that another has overtaken gets so much longer, in ms: that the server answers is known by then. */
const LATE = 2_000;

/** Asked is what plain HTTP said of a server that did not upgrade. */
export interface Asked {
	refusal: Refusal | null;
	reached: boolean; // somebody answered
}

export interface RaceOptions {
	env: Env;
	rungs: readonly LinkRung[]; // in the order in which they are tried
	connectMs: number; // what connecting took on this way; 0: not known
	/** beside a link that there is already. */
	beside: boolean;
	verdicts: Verdicts;
	/** dial begins a carrier; only the first may carry an open. */
	dial(rung: LinkRung, first: boolean, events: LinkCarrierEvents): LinkCarrier;
	/** why asks the server, by plain HTTP, why it refused a WebSocket: a browser does not tell. */
	why(): Promise<Asked>;
	/** a frame of the server came on a carrier: it is the link, until a better one wins. The returned one hears of it from now on. */
	onWon(carrier: LinkCarrier): LinkCarrierEvents;
	/** the server refuses us, on whatever rung: the race is over. */
	onRefused(refusal: Refusal): void;
	/** nothing is tried any more. */
	onDone(): void;
}

interface Runner {
	readonly rung: LinkRung;
	carrier: LinkCarrier | null;
	/** to hears what comes, when it has won. */
	to: LinkCarrierEvents | null;
	cancel: () => void;
}

/**
 * Race tries several rungs side by side (section 6.8). The first on which a
 * frame of the server came wins. Worse ones are closed then; a better one that is under
 * way goes on: on a long way a WebSocket needs more round trips than a request, and
 * one that stalls is known as that only later.
 */
export class Race {
	private readonly running = new Map<LinkRung, Runner>();
	private readonly waiting: LinkRung[];
	private first = true;
	private won = false;
	private over = false;
	private readonly slow: number; // what a rung is given because the way is slow, in ms
	private cancelNext: () => void = () => undefined;

	constructor(private readonly options: RaceOptions) {
		this.waiting = [...options.rungs];
		this.slow = Math.min(SLOW_PARTS * options.connectMs, SLOW_AT_MOST);
	}

	start(): void {
		this.next();
	}

	/** trying says whether a rung is being tried. */
	trying(rung: LinkRung): boolean {
		return this.running.has(rung);
	}

	/** close ends it without another word. Who has won is not touched. */
	close(): void {
		this.over = true;
		this.cancelNext();
		for (const runner of [...this.running.values()]) this.drop(runner);
	}

	private next(): void {
		this.cancelNext();
		const rung = this.won || this.over ? undefined : this.waiting.shift();
		if (rung === undefined) return;
		this.cancelNext =
			this.waiting.length === 0 ? () => undefined : this.options.env.later(APART + this.slow, () => this.next());
		this.run(rung);
	}

	private run(rung: LinkRung): void {
		const { env, dial } = this.options;
		const late = env.later(FRAME_WITHIN, () => this.failed(runner, failure("timeout")));
		const runner: Runner = { rung, carrier: null, to: null, cancel: late };
		this.running.set(rung, runner);
		const first = this.first;
		this.first = false;
		try {
			runner.carrier = dial(rung, first, this.listener(runner));
		} catch (err) {
			// The address is none, or the page's policy forbids it.
			const reason = err instanceof Error ? err.message : String(err);
			this.failed(runner, { name: "malformed", reason, remedy: "check the server's address" });
		}
	}

	private listener(runner: Runner): LinkCarrierEvents {
		return {
			onOpen: () => runner.to?.onOpen(),
			onPacket: (packet) => {
				if (runner.to === null) this.win(runner);
				runner.to?.onPacket(packet);
			},
			onOver: (ending) => {
				if (runner.to !== null) runner.to.onOver(ending);
				else if (!this.over) this.ended(runner, ending);
			},
		};
	}

	private win(runner: Runner): void {
		const { verdicts, onWon } = this.options;
		if (runner.carrier === null) return;
		this.won = true;
		this.cancelNext();
		this.forget(runner);
		verdicts.carries(runner.rung);
		for (const other of [...this.running.values()]) this.overtaken(other, height(other.rung) < height(runner.rung));
		runner.to = onWon(runner.carrier);
		this.check();
	}

	/** overtaken: another one brought the first frame. A better one may still, soon; if it does not, something holds back what comes on it. */
	private overtaken(runner: Runner, better: boolean): void {
		if (!better) {
			this.drop(runner);
			return;
		}
		const stalled = failure(runner.rung === "ws" ? "upgrade-stalled" : "stream-buffered");
		runner.cancel();
		runner.cancel = this.options.env.later(LATE + this.slow, () => this.failed(runner, stalled));
	}

	private ended(runner: Runner, ending: Ending): void {
		runner.carrier = null;
		if ("refusal" in ending) this.refused(runner, ending.refusal);
		else if (ending.failure.name === "upgrade-refused") void this.ask(runner, ending.failure);
		else this.failed(runner, ending.failure);
	}

	/** ask finds out why the server did not even upgrade, while others are tried. */
	private async ask(runner: Runner, refused: Failure): Promise<void> {
		this.next();
		const { refusal, reached } = await this.options.why();
		if (this.over || this.running.get(runner.rung) !== runner) return;
		if (refusal !== null) this.refused(runner, refusal);
		else this.failed(runner, reached ? refused : failure("unanswered"));
	}

	/** refused: what the server says of us holds for all rungs. Of a rung that is tried beside a link it says nothing of that link. */
	private refused(runner: Runner, refusal: Refusal): void {
		if (this.won || this.options.beside) {
			this.failed(runner, { ...refusal, name: refusal.code });
			return;
		}
		this.close();
		this.options.onRefused(refusal);
	}

	private failed(runner: Runner, why: Failure): void {
		this.options.verdicts.failed(runner.rung, why);
		this.drop(runner);
		this.next();
		this.check();
	}

	private check(): void {
		if (this.over || this.running.size > 0 || (!this.won && this.waiting.length > 0)) return;
		this.over = true;
		this.options.onDone();
	}

	private drop(runner: Runner): void {
		this.forget(runner);
		runner.carrier?.close();
	}

	private forget(runner: Runner): void {
		runner.cancel();
		this.running.delete(runner.rung);
	}
}
