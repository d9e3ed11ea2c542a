import { createChannels } from "./peer/carrier/channels";
import { selectedPair } from "./peer/carrier/pair";
import type { FromWorker, ToWorker } from "./port";

/** RtcPageOptions connect the assistant with the engine. */
export interface RtcPageOptions {
	/** post hands a message to the engine; it throws a DataCloneError where channels cannot be transferred. */
	post(message: ToWorker, transfer?: Transferable[]): void;
	/** Data channels cannot be moved to a Worker here: the engine has to run on the page. */
	onUntransferable(): void;
}

/**
 * RtcPage keeps the RTCPeerConnections, which exist on a page only, and does
 * with them what the engine asks. Nothing is decided here.
 */
export class RtcPage {
	private readonly attempts = new Map<number, Attempt>();

	constructor(private readonly options: RtcPageOptions) {}

	/** handle does what an engine's message asks; false: the message is for somebody else. */
	handle(message: FromWorker): boolean {
		switch (message.type) {
			case "rtc.create":
				this.create(message.attempt, message.config);
				return true;
			case "rtc.answer":
				this.attempts.get(message.attempt)?.answer(message.sdp);
				return true;
			case "rtc.candidate":
				this.attempts.get(message.attempt)?.candidate(message.candidate, message.mid);
				return true;
			case "rtc.close":
				this.close(message.attempt);
				return true;
			case "rtc.untransferable":
				this.options.onUntransferable();
				return true;
			default:
				return false;
		}
	}

	dispose(): void {
		for (const attempt of this.attempts.keys()) this.close(attempt);
	}

	private create(number: number, config: RTCConfiguration): void {
		this.close(number);
		if (typeof RTCPeerConnection === "undefined") {
			this.options.post({ type: "rtc.failed", attempt: number, reason: "this browser has no WebRTC" });
			return;
		}
		try {
			this.attempts.set(number, new Attempt(number, config, this.options));
		} catch (err) {
			this.options.post({ type: "rtc.failed", attempt: number, reason: words(err) });
		}
	}

	private close(number: number): void {
		this.attempts.get(number)?.dispose();
		this.attempts.delete(number);
	}
}

/** Attempt is one RTCPeerConnection. Its channels leave for the engine in the task that makes them. */
class Attempt {
	private readonly pc: RTCPeerConnection;
	/** Candidates that came before the answer, which the browser would refuse. */
	private early: RTCIceCandidateInit[] | null = [];

	constructor(
		private readonly number: number,
		config: RTCConfiguration,
		private readonly options: RtcPageOptions,
	) {
		this.pc = connection(config);
		this.handOver(createChannels(this.pc));
		this.pc.onicecandidate = ({ candidate }) => this.found(candidate);
		this.pc.onconnectionstatechange = () => void this.report();
		this.pc.ondatachannel = () => this.fail("the other end opened a channel that is not in the table");
		void this.offer();
	}

	answer(sdp: string): void {
		this.pc
			.setRemoteDescription({ type: "answer", sdp })
			.then(() => this.answered())
			.catch((err) => this.fail(words(err)));
	}

	candidate(candidate: string, mid: string): void {
		const init = { candidate, sdpMid: mid === "" ? "0" : mid };
		if (this.early !== null) this.early.push(init);
		else this.add(init);
	}

	dispose(): void {
		this.pc.onicecandidate = this.pc.onconnectionstatechange = this.pc.ondatachannel = null;
		this.pc.close();
	}

	private handOver(channels: RTCDataChannel[]): void {
		try {
			this.options.post({ type: "rtc.channels", attempt: this.number, channels }, channels);
		} catch (err) {
			if (!(err instanceof DOMException) || err.name !== "DataCloneError") throw err;
			this.options.onUntransferable();
		}
	}

	private async offer(): Promise<void> {
		try {
			const { sdp } = await this.pc.createOffer();
			if (sdp === undefined) throw new Error("the browser made an empty offer");
			this.options.post({ type: "rtc.offer", attempt: this.number, sdp });
			// Gathering starts here: no candidate can overtake its offer.
			await this.pc.setLocalDescription({ type: "offer", sdp });
		} catch (err) {
			this.fail(words(err));
		}
	}

	private found(candidate: RTCIceCandidate | null): void {
		this.options.post({
			type: "rtc.candidate",
			attempt: this.number,
			candidate: candidate?.candidate ?? "",
			mid: candidate?.sdpMid ?? "",
		});
	}

	private answered(): void {
		const ice = this.pc.sctp?.transport.iceTransport;
		if (ice !== undefined && "onselectedcandidatepairchange" in ice) {
			ice.onselectedcandidatepairchange = () => void this.report();
		}
		this.addEarly();
	}

	private addEarly(): void {
		const early = this.early ?? [];
		this.early = null;
		for (const init of early) this.add(init);
	}

	/** A candidate that the browser refuses is one way less; the connection may still find another. */
	private add(init: RTCIceCandidateInit): void {
		this.pc.addIceCandidate(init).catch(() => undefined);
	}

	private async report(): Promise<void> {
		const state = this.pc.connectionState;
		const pair = state === "connected" ? await selectedPair(this.pc) : null;
		this.options.post({ type: "rtc.state", attempt: this.number, state, ...(pair === null ? {} : { pair }) });
	}

	private fail(reason: string): void {
		if (this.pc.signalingState === "closed") return;
		this.dispose();
		this.options.post({ type: "rtc.failed", attempt: this.number, reason });
	}
}

/**
 * connection makes one with those servers that the browser accepts: of one URL
 * that it finds malformed it would make none.
 */
function connection(config: RTCConfiguration): RTCPeerConnection {
	try {
		return new RTCPeerConnection(config);
	} catch {
		const iceServers = (config.iceServers ?? []).flatMap(accepted);
		return new RTCPeerConnection({ ...config, iceServers });
	}
}

/** accepted is a server with those of its URLs that the browser takes; none if it takes none. */
function accepted(server: RTCIceServer): RTCIceServer[] {
	const urls = [server.urls].flat().filter((url) => {
		try {
			new RTCPeerConnection({ iceServers: [{ ...server, urls: url }] }).close();
			return true;
		} catch {
			return false;
		}
	});
	return urls.length === 0 ? [] : [{ ...server, urls }];
}

function words(err: unknown): string {
	return err instanceof Error ? err.message : String(err);
}
