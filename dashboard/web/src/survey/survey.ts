import { TURN_RUNGS, turnRung } from "../peer/conn/kind";
import type { Finding, SurveyJob } from "../port";
import { channelsOf } from "./channels";
import { gather } from "./gather";
import { natOf, noTURN, ok, turnOf, unknown } from "./judge";

/** NAMES of all findings, in their order. */
const NAMES: readonly Finding["name"][] = ["nat", "relay-udp", "relay-tcp", ...TURN_RUNGS];

/**
 * survey finds out what gets through from this page to the server and its TURN
 * servers, all at once, and tells what it knows each time it knows more. It
 * sends to nobody else.
 */
export async function survey(job: SurveyJob, tell: (findings: Finding[]) => void): Promise<void> {
	const known = new Map<Finding["name"], Finding>();
	const report = () =>
		tell(NAMES.map((name) => known.get(name) ?? { name, verdict: "trying", note: "being tried", ms: null }));
	report();
	if (typeof RTCPeerConnection === "undefined") {
		tell(NAMES.map((name) => unknown(name, "this browser has no WebRTC")));
		return;
	}
	const add = async (name: Finding["name"], finding: Promise<Finding>) => {
		known.set(name, await finding.catch((err: unknown) => unknown(name, String(err))));
		report();
	};
	await Promise.all([
		add("nat", nat(job)),
		add("relay-udp", channelsOf("udp", job)),
		add("relay-tcp", channelsOf("tcp", job)),
		...TURN_RUNGS.map((rung) => add(rung, turn(rung, job))),
	]);
}

async function nat({ stun, local, servers }: SurveyJob): Promise<Finding> {
	if (local) return ok("nat", "the server is on this computer: there is no NAT in between", null);
	const over = (servers ?? []).flatMap(({ urls }) => urls.filter((url) => turnRung(url) === "turn-udp").map(stunAt));
	const urls = [...new Set([...(stun === null ? [] : [stun]), ...over])];
	if (urls.length === 0) return unknown("nat", "the server does not answer over UDP");
	return natOf(urls, await gather({ iceServers: [{ urls }] }));
}

/** stunAt is the STUN server that a TURN server over UDP is as well. */
function stunAt(turn: string): string {
	return turn.replace(/^turn:/i, "stun:").replace(/\?.*$/, "");
}

async function turn(rung: (typeof TURN_RUNGS)[number], { servers }: SurveyJob): Promise<Finding> {
	const iceServers = (servers ?? []).flatMap((server) => {
		const urls = server.urls.filter((url) => turnRung(url) === rung);
		return urls.length === 0 ? [] : [{ ...server, urls }];
	});
	if (iceServers.length === 0) return noTURN(rung, servers !== null, (servers ?? []).length > 0);
	return turnOf(rung, await gather({ iceServers, iceTransportPolicy: "relay" }));
}
