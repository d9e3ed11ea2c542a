import type { Env } from "../env";
import { encodeBase64url } from "./base64url";

/** Bytes of a link id: who knows it is the link's owner. */
const ID_BYTES = 16;

/** Asked is one request's way out: it is given up when its time is over or its link is. */
export interface Asked {
	method: "GET" | "POST";
	headers?: Record<string, string>;
	body?: Uint8Array;
	/** How long the whole answer may take, in ms; Infinity: as long as it will. */
	patience: number;
}

/**
 * Requests sends one link's HTTP requests (section 6.7). What a request brings
 * is read in `use`, so that its patience covers the body too.
 */
export class Requests {
	private readonly id = linkId();
	private readonly running = new Set<AbortController>();

	constructor(
		private readonly url: string,
		private readonly env: Env,
	) {}

	/** ask throws where no answer came: the network failed, it took too long, or abort was called. */
	async ask<T>(path: "sse" | "poll" | "up", asked: Asked, use: (response: Response) => Promise<T>): Promise<T> {
		const controller = new AbortController();
		const cancel =
			asked.patience === Infinity ? () => undefined : this.env.later(asked.patience, () => controller.abort());
		this.running.add(controller);
		try {
			return await use(await this.fetch(path, asked, controller.signal));
		} finally {
			cancel();
			controller.abort(); // what is left of the answer is not wanted
			this.running.delete(controller);
		}
	}

	/** abort gives up what runs. */
	abort(): void {
		for (const controller of this.running) controller.abort();
	}

	private fetch(path: string, { method, headers, body }: Asked, signal: AbortSignal): Promise<Response> {
		return fetch(`${this.url}/${path}`, {
			method,
			headers: { ...headers, "Telepath-Link": this.id },
			...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
			cache: "no-store",
			credentials: "omit",
			redirect: "error",
			signal,
		});
	}
}

function linkId(): string {
	return encodeBase64url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}
