import { endingOf } from "../peer/carrier/answer";
import { transportOf, withCandidates } from "../peer/carrier/candidate";
import { createChannels } from "../peer/carrier/channels";
import { selectedPair } from "../peer/carrier/pair";
import { failure } from "../peer/failures";
import type { Finding, SurveyJob } from "../port";
import { failed, ok } from "./judge";

/** Channels that are not open by now will not be, in ms. */
const PATIENCE = 6_000;

/** BLOCKED names what does not get through. */
const BLOCKED = { udp: "udp-blocked", tcp: "ice-tcp-blocked" } as const;

/** channelsOf opens a link over data channels to the server itself, over UDP or TCP alone, and leaves it. */
export async function channelsOf(transport: "udp" | "tcp", { url, token }: SurveyJob): Promise<Finding> {
	const name = transport === "udp" ? "relay-udp" : "relay-tcp";
	const began = performance.now();
	const pc = new RTCPeerConnection();
	try {
		const opened = open(pc);
		await pc.setLocalDescription();
		const response = await ask(`${url}/rtc`, token, pc.localDescription?.sdp ?? "");
		if (response.status !== 201) {
			const ending = await endingOf(response);
			return failed(name, "failure" in ending ? ending.failure : { name: ending.refusal.code, ...ending.refusal });
		}
		const sdp = withCandidates(await response.text(), (candidate) => transportOf(candidate) === transport);
		await pc.setRemoteDescription({ type: "answer", sdp });
		if (!(await opened)) return failed(name, failure(BLOCKED[transport]));
		const ms = performance.now() - began;
		return ok(name, `to ${(await selectedPair(pc))?.remote ?? "an address that the browser hides"}`, ms);
	} catch {
		return failed(name, failure("unanswered"));
	} finally {
		pc.close();
	}
}

/** open makes the channels of section 7.1 and says whether they open. */
function open(pc: RTCPeerConnection): Promise<boolean> {
	const [first] = createChannels(pc);
	return new Promise((resolve) => {
		setTimeout(() => resolve(false), PATIENCE);
		pc.onconnectionstatechange = () => {
			if (pc.connectionState === "failed") resolve(false);
		};
		if (first !== undefined) first.onopen = () => resolve(true);
	});
}

function ask(url: string, token: string, offer: string): Promise<Response> {
	const headers: Record<string, string> = { "Content-Type": "application/sdp" };
	if (token !== "") headers.Authorization = `Bearer ${token}`;
	const request = { method: "POST", headers, body: offer, signal: AbortSignal.timeout(PATIENCE) } as const;
	return fetch(url, { ...request, cache: "no-store", credentials: "omit", redirect: "error" });
}
