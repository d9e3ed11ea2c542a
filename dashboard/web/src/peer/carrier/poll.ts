import type { Env } from "../env";
import { type Failure, failure } from "../failures";
import { endingOf, isRefusal, refusalOf } from "./answer";
import { Appetite } from "./appetite";
import { HttpWay } from "./http";
import type { Ending, LinkCarrier, LinkCarrierEvents, LinkRequest } from "./link-carrier";
import { Pause } from "./pause";
import { openingHeaders } from "./subprotocol";

/** A request that is not answered for so long, in ms, is sent again: the server holds it for half a keep alive (1.5 s) at most. */
const PATIENCE = 6_000;

/** PollCarrier receives the answers to requests that the server holds until it has something to say, and sends by POST. */
export class PollCarrier implements LinkCarrier {
	readonly rung = "poll";
	readonly opened: boolean;
	private readonly way: HttpWay;
	private readonly appetite = new Appetite();
	private readonly pause: Pause;
	private seq = 1;

	constructor(
		request: LinkRequest,
		events: LinkCarrierEvents,
		private readonly env: Env,
	) {
		const { headers, opened } = openingHeaders(request.token, request.open);
		this.opened = opened;
		this.pause = new Pause(env);
		this.way = new HttpWay(request.url, events, env);
		void this.receive(headers).then((ending) => this.way.over(ending));
	}

	send(frame: Uint8Array): boolean {
		return this.way.send(frame);
	}

	get concern(): Failure | null {
		return this.way.concern;
	}

	queueBytes(): number {
		return this.way.queueBytes();
	}

	close(): void {
		this.way.close();
		this.pause.end();
	}

	/** receive asks again and again. Once the server took the opening, a request that fails is repeated: nothing is lost by that. */
	private async receive(opening: Record<string, string>): Promise<Ending> {
		while (!this.way.isOver) {
			const got = await this.ask(this.seq === 1 ? opening : {});
			if (got instanceof Uint8Array) this.take(got);
			else if (got !== null) return got;
			else if (!this.way.isOpen) return { failure: failure("unanswered") };
			else await this.pause.wait();
		}
		return { failure: failure("cut") };
	}

	private take(packet: Uint8Array): void {
		this.seq++;
		this.pause.reset();
		this.way.opens();
		this.way.packet(packet);
	}

	/** ask is one request's packet, or why the link is over; null: no answer came, or a gateway's. */
	private async ask(opening: Record<string, string>): Promise<Uint8Array | Ending | null> {
		const headers = { ...opening, "Telepath-Seq": String(this.seq), "Telepath-Max": String(this.appetite.most) };
		try {
			const asked = { method: "POST", headers, patience: PATIENCE } as const;
			return await this.way.requests.ask("poll", asked, (response) => this.read(response));
		} catch {
			this.appetite.failed();
			return null;
		}
	}

	private async read(response: Response): Promise<Uint8Array | Ending | null> {
		if (!response.ok) return this.refused(response);
		if (response.headers.get("Telepath-Seq") !== String(this.seq)) return endingOf(response);
		if (this.seq === 1) this.way.answered(response);
		const since = this.env.now();
		const packet = new Uint8Array(await response.arrayBuffer());
		this.appetite.ate(packet.length, this.env.now() - since);
		return packet;
	}

	/** refused: what a gateway says of a server that it does not reach just now passes. */
	private async refused(response: Response): Promise<Ending | null> {
		const passes = this.way.isOpen && response.status >= 500;
		return passes && !isRefusal(refusalOf(await response.clone().text())) ? null : endingOf(response);
	}
}
