import type { Env } from "../env";
import type { Failure } from "../failures";
import type { Ending, LinkCarrierEvents } from "./link-carrier";
import { Requests } from "./requests";
import { Up } from "./up";

/** HttpWay is what the two carriers over HTTP share: the requests of one link, sending, and the end. */
export class HttpWay {
	readonly requests: Requests;
	private readonly up: Up;
	private state: "opening" | "open" | "over" = "opening";

	constructor(
		url: string,
		private readonly events: LinkCarrierEvents,
		env: Env,
	) {
		this.requests = new Requests(url, env);
		this.up = new Up(this.requests, env, (ending) => this.over(ending));
	}

	get concern(): Failure | null {
		return this.up.concern;
	}

	get isOpen(): boolean {
		return this.state === "open";
	}

	get isOver(): boolean {
		return this.state === "over";
	}

	/** answered learns from the answer to the opening request how packets may be sent. */
	answered(response: Response): void {
		this.up.ahead = Math.max(1, Number.parseInt(response.headers.get("Telepath-Ahead") ?? "", 10) || 1);
	}

	/** opens: the server took the opening request. */
	opens(): void {
		if (this.state !== "opening") return;
		this.state = "open";
		this.events.onOpen();
	}

	packet(packet: Uint8Array): void {
		if (this.isOpen && packet.length > 0) this.events.onPacket(packet);
	}

	over(ending: Ending): void {
		if (this.isOver) return;
		this.state = "over";
		this.up.stop();
		this.requests.abort();
		this.events.onOver(ending);
	}

	send(frame: Uint8Array): boolean {
		return this.isOpen && this.up.push(frame);
	}

	queueBytes(): number {
		return this.up.queueBytes();
	}

	/** close tells the server, if it has heard of this link, and then lets go of what runs. */
	close(): void {
		const goodbye = this.isOpen ? this.up.finish() : null;
		this.state = "over";
		if (goodbye === null) this.requests.abort();
		else void goodbye.then(() => this.requests.abort());
	}
}
