import type { Env } from "../env";
import { type Failure, failure } from "../failures";
import { appendSignal } from "../signal";
import { hop, Writer } from "../wire";
import { endingOf, isRefusal, refusalOf } from "./answer";
import { Bundle } from "./bundle";
import type { Ending } from "./link-carrier";
import { Pause } from "./pause";
import type { Requests } from "./requests";

/** A request that is not answered for so long, in ms, is sent again under its number. */
const PATIENCE = 4_000;
/** What was not taken for so long, in ms, will not be: the server has given up the link by now (section 6.2). */
const GIVE_UP = 10_000;
/** How long closing may go on sending, in ms: as Go's carrier.FlushTime. */
const FLUSH_TIME = 500;

/** Outcome of one request: its packet was taken, is too large for something between, is to be sent again, or the link is over. */
type Outcome = "taken" | "too-large" | "again" | Ending;

/**
 * Up sends what the client says on a link over HTTP: one POST at a time, each
 * with all that waited meanwhile. A request that failed is sent again under the
 * same number, so that nothing is lost, doubled or overtaken.
 */
export class Up {
	private readonly bundle = new Bundle();
	private readonly pause: Pause;
	private seq = 1;
	private running: Promise<void> | null = null;
	private stopped = false;

	constructor(
		private readonly requests: Requests,
		private readonly env: Env,
		private readonly onOver: (ending: Ending) => void,
	) {
		this.pause = new Pause(env);
	}

	/** push sends a frame with all others of this task, after what is under way. */
	push(frame: Uint8Array): boolean {
		if (this.stopped) return false;
		this.bundle.add(frame);
		this.running ??= Promise.resolve().then(() => this.run());
		return true;
	}

	/** concern is set once something between refused a packet for its size. */
	get concern(): Failure | null {
		const { cap } = this.bundle;
		return cap === null ? null : failure("body-capped", `up to ${cap} bytes are sent at once`);
	}

	queueBytes(): number {
		return this.bundle.bytes;
	}

	/** stop sends nothing more, not even again. */
	stop(): void {
		this.stopped = true;
		this.pause.end();
	}

	/** finish sends what waits and says that the link ends; it resolves when that was taken, or after a moment. */
	async finish(): Promise<void> {
		this.push(appendSignal(new Writer(), hop(), { type: "end" }).finish());
		const late = new Pause(this.env, FLUSH_TIME);
		await Promise.race([this.running, late.wait()]);
		late.end();
		this.stop();
	}

	private async run(): Promise<void> {
		while (!this.stopped && !this.bundle.empty) await this.deliver();
		this.running = null;
	}

	/** deliver sends the next packet until it is taken, or dropped, or the link is over. */
	private async deliver(): Promise<void> {
		const since = this.env.now();
		while (!this.stopped) {
			const outcome = await this.post();
			if (outcome === "taken") return this.taken();
			if (outcome === "too-large") return this.tooLarge();
			if (outcome !== "again") this.over(outcome);
			else if (this.env.now() - since >= GIVE_UP) this.over({ failure: failure("cut") });
			else await this.pause.wait();
		}
	}

	private async post(): Promise<Outcome> {
		const headers = { "Telepath-Seq": String(this.seq), "Content-Type": "application/octet-stream" };
		const asked = { method: "POST", headers, body: this.bundle.packet(), patience: PATIENCE } as const;
		try {
			return await this.requests.ask("up", asked, outcomeOf);
		} catch {
			return "again";
		}
	}

	private taken(): void {
		this.bundle.taken();
		this.seq++;
		this.pause.reset();
	}

	private tooLarge(): void {
		const dropped = this.bundle.tooLarge();
		if (dropped !== null) this.env.debug("up: a frame is too large for something between:", dropped.length);
	}

	private over(ending: Ending): void {
		if (this.stopped) return;
		this.stop();
		this.onOver(ending);
	}
}

/** outcomeOf reads the answer to a POST. What a gateway says of a server that it does not reach just now passes. */
async function outcomeOf(response: Response): Promise<Outcome> {
	if (response.status === 204) return "taken";
	if (response.status !== 413 && response.status < 500) return endingOf(response);
	if (isRefusal(refusalOf(await response.clone().text()))) return endingOf(response);
	return response.status === 413 ? "too-large" : "again";
}
