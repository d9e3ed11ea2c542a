import type { Env } from "../env";
import { type Failure, failure } from "../failures";
import { appendSignal } from "../signal";
import { hop, Writer } from "../wire";
import { endingOf, isRefusal, refusalOf } from "./answer";
import { Bundle, bodyOf, type Packet } from "./bundle";
import type { Ending } from "./link-carrier";
import { Pause } from "./pause";
import type { Requests } from "./requests";

/** A request that is not answered for so long, in ms, is sent again under its number. */
const PATIENCE = 4_000;
/** What was not taken for so long, in ms, will not be: the server has given up the link by now (section 6.2). */
const GIVE_UP = 10_000;
/** How long closing may go on sending, in ms: as Go's carrier.FlushTime. */
const FLUSH_TIME = 500;

/** So many requests are under way at most: a browser makes six to a server, and one is the stream, or a poll, of each tab. */
const MOST = 3;

/** Outcome of one request: its packet was taken, is too large for something between, is to be sent again, or the link is over. */
type Outcome = "taken" | "too-large" | "again" | Ending;

/** Post is a packet under way, with its number. */
interface Post {
	readonly seq: number;
	packet: Packet;
	readonly pause: Pause;
}

/**
 * Up sends what the client says on a link over HTTP: by POST, each with all that waited meanwhile, several at a time where the
 * server takes that. A request that failed is sent again under the same number, so that nothing is lost, doubled or overtaken
 * that has an order.
 */
export class Up {
	/** ahead is how far beyond the last packet before which none is missing the server takes others. */
	ahead = 1;
	private readonly bundle = new Bundle();
	private posts: Post[] = []; // oldest first
	private seq = 1; // of the next one
	private due = false;
	private stopped = false;
	private onIdle: () => void = () => undefined;

	constructor(
		private readonly requests: Requests,
		private readonly env: Env,
		private readonly onOver: (ending: Ending) => void,
	) {}

	/** push sends a frame with all others of this task. */
	push(frame: Uint8Array): boolean {
		if (this.stopped) return false;
		this.bundle.add(frame);
		if (!this.due) void Promise.resolve().then(() => this.fill());
		this.due = true;
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
		for (const { pause } of this.posts) pause.end();
	}

	/** finish sends what waits and says that the link ends; it resolves when that was taken, or after a moment. */
	async finish(): Promise<void> {
		const idle = new Promise<void>((resolve) => {
			this.onIdle = resolve;
		});
		this.push(appendSignal(new Writer(), hop(), { type: "end" }).finish());
		const late = new Pause(this.env, FLUSH_TIME);
		await Promise.race([idle, late.wait()]);
		late.end();
		this.stop();
	}

	/** fill has under way what may be. */
	private fill(): void {
		this.due = false;
		while (!this.stopped) {
			const packet = this.bundle.take((next) => this.may(next));
			if (packet === null) break;
			const post = { seq: this.seq++, packet, pause: new Pause(this.env) };
			this.posts.push(post);
			void this.deliver(post).then(() => this.delivered(post));
		}
		if (this.posts.length === 0) this.onIdle();
	}

	/** may says whether a packet may go beside those that are under way. */
	private may({ kind }: Packet): boolean {
		const [oldest] = this.posts;
		if (oldest === undefined) return true;
		if (oldest.packet.kind === "alone" || kind === "alone" || kind === "control") return false;
		return this.posts.length < MOST && this.seq < oldest.seq + this.ahead;
	}

	private delivered(post: Post): void {
		this.posts = this.posts.filter((one) => one !== post);
		this.fill();
	}

	/** deliver sends a packet until it is taken, or dropped, or the link is over. */
	private async deliver(post: Post): Promise<void> {
		const since = this.env.now();
		while (!this.stopped) {
			const outcome = await this.post(post);
			if (outcome === "taken") return this.bundle.taken(post.packet);
			if (outcome === "too-large") this.tooLarge(post);
			else if (outcome !== "again") this.over(outcome);
			else if (this.env.now() - since >= GIVE_UP) this.over({ failure: failure("cut") });
			else await post.pause.wait();
		}
	}

	private async post({ seq, packet }: Post): Promise<Outcome> {
		const headers: Record<string, string> = {
			"Telepath-Seq": String(seq),
			"Content-Type": "application/octet-stream",
		};
		if (packet.kind === "free" || packet.kind === "control") headers["Telepath-Ahead"] = "1";
		const asked = { method: "POST", headers, body: bodyOf(packet), patience: PATIENCE } as const;
		try {
			return await this.requests.ask("up", asked, outcomeOf);
		} catch {
			return "again";
		}
	}

	/** tooLarge has the first part of a packet sent in its place: nothing, where that is one frame. */
	private tooLarge(post: Post): void {
		const { bytes } = post.packet;
		post.packet = this.bundle.tooLarge(post.packet);
		if (post.packet.bytes === 0) this.env.debug("up: a frame is too large for something between:", bytes);
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
