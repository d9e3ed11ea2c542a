import type { Env } from "../env";
import { failure } from "../failures";
import { codeByClose } from "../wire";
import { type Ending, type LinkCarrier, type LinkCarrierEvents, type LinkRequest, MUTE_AFTER } from "./link-carrier";
import { offers } from "./subprotocol";

/** WsCarrier is a link's WebSocket: a message is a packet. */
export class WsCarrier implements LinkCarrier {
	readonly rung = "ws";
	readonly opened: boolean;
	readonly concern = null;
	private readonly socket: WebSocket;
	private upgraded = false;
	private cancelMute: () => void = () => undefined;

	/** It throws where the address is none, or the page's policy forbids it. */
	constructor(
		request: LinkRequest,
		private readonly events: LinkCarrierEvents,
		private readonly env: Env,
	) {
		const { protocols, opened } = offers(request.token, request.open);
		this.opened = opened;
		this.socket = new WebSocket(request.url.replace(/^http/, "ws"), protocols);
		this.socket.binaryType = "arraybuffer";
		this.socket.onopen = () => this.upgrade();
		this.socket.onmessage = ({ data }: MessageEvent<unknown>) => this.message(data);
		this.socket.onclose = ({ code, reason }) => this.over(this.ending(code, reason));
	}

	send(frame: Uint8Array): boolean {
		if (this.socket.readyState !== WebSocket.OPEN) return false;
		this.socket.send(frame as Uint8Array<ArrayBuffer>);
		return true;
	}

	queueBytes(): number {
		return this.socket.bufferedAmount;
	}

	close(): void {
		this.cancelMute();
		this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
		this.socket.close();
	}

	private upgrade(): void {
		this.upgraded = true;
		this.cancelMute = this.env.later(MUTE_AFTER, () => this.over({ failure: failure("upgrade-stalled") }));
		this.events.onOpen();
	}

	private message(data: unknown): void {
		this.cancelMute();
		if (data instanceof ArrayBuffer && data.byteLength > 0) this.events.onPacket(new Uint8Array(data));
	}

	/** ending: a browser does not tell why there was no upgrade; whoever wants to know asks by plain HTTP. */
	private ending(status: number, reason: string): Ending {
		const code = codeByClose(status);
		if (code !== null) return { refusal: { code: code.name, reason, remedy: "" } };
		return { failure: failure(this.upgraded ? "cut" : "upgrade-refused") };
	}

	private over(ending: Ending): void {
		this.close();
		this.events.onOver(ending);
	}
}
