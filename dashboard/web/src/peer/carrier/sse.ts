import type { Env } from "../env";
import { type Failure, failure } from "../failures";
import { endingOf } from "./answer";
import { decodeBase64url } from "./base64url";
import { EventStream } from "./events";
import { HttpWay } from "./http";
import { type Ending, type LinkCarrier, type LinkCarrierEvents, type LinkRequest, MUTE_AFTER } from "./link-carrier";
import { openingHeaders } from "./subprotocol";

const TYPE = "text/event-stream";

/** SseCarrier receives on one answer that does not end, an event a packet, and sends by POST. */
export class SseCarrier implements LinkCarrier {
	readonly rung = "sse";
	readonly opened: boolean;
	private readonly way: HttpWay;
	private cancelMute: () => void = () => undefined;

	constructor(
		request: LinkRequest,
		events: LinkCarrierEvents,
		private readonly env: Env,
	) {
		const { headers, opened } = openingHeaders(request.token, request.open);
		this.opened = opened;
		this.way = new HttpWay(request.url, events, env);
		void this.receive({ ...headers, Accept: TYPE }).then((ending) => this.over(ending));
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
		this.cancelMute();
		this.way.close();
	}

	private over(ending: Ending): void {
		this.cancelMute();
		this.way.over(ending);
	}

	private async receive(headers: Record<string, string>): Promise<Ending> {
		try {
			const asked = { method: "GET", headers, patience: Infinity } as const;
			return await this.way.requests.ask("sse", asked, (response) => this.read(response));
		} catch {
			return { failure: failure(this.way.isOpen ? "cut" : "unanswered") };
		}
	}

	private async read(response: Response): Promise<Ending> {
		const isStream = response.headers.get("Content-Type")?.startsWith(TYPE);
		if (!response.ok || !isStream || response.body === null) return endingOf(response);
		this.cancelMute = this.env.later(MUTE_AFTER, () => this.over({ failure: failure("stream-buffered") }));
		this.way.answered(response);
		this.way.opens();
		const stream = new EventStream((data) => this.event(data));
		const reader = response.body.getReader();
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return { failure: failure("cut") };
			this.cancelMute(); // the server begins with a comment: any byte shows that nothing holds the stream back
			if (!stream.push(value)) return { failure: failure("not-telepath", "an event without end") };
		}
	}

	private event(data: string): void {
		const packet = decodeBase64url(data);
		if (packet === null) this.over({ failure: failure("not-telepath", "an event that is not a packet") });
		else this.way.packet(packet);
	}
}
