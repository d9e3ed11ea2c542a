// What the answers of servers mean. Pure. What cannot be known is unknown, never failed.
import { type Failure, failure } from "../peer/failures";
import { NO_TURN } from "../peer/words";
import type { Finding } from "../port";
import type { Gathered, Refusal } from "./gather";

const NO_ANSWER = 701;

/** TurnRung is a rung through TURN. */
type TurnRung = Extract<Finding["name"], `turn-${string}`>;

/** ok, failed and unknown make findings. */
export const ok = (name: Finding["name"], note: string, ms: number | null): Finding => ({
	name,
	verdict: "ok",
	note,
	ms,
});
export const failed = (name: Finding["name"], verdict: Failure): Finding => ({
	name,
	verdict: "failed",
	note: verdict.reason,
	ms: null,
	failure: verdict,
});
export const unknown = (name: Finding["name"], note: string): Finding => ({ name, verdict: "unknown", note, ms: null });

/**
 * natOf reads how servers see one socket: the browser names an address once, so
 * that of a second server's only what differs is there. asked are their URLs.
 */
export function natOf(asked: readonly string[], { found, refusals, over, ms }: Gathered): Finding {
	const seen = found.filter(({ type }) => type === "srflx");
	const first = seen[0];
	const answered = asked.filter((url) => !refusals.some((r) => r.url === url));
	if (first === undefined) {
		const silent = !over || (refusals.length > 0 && answered.length === 0);
		return silent
			? failed("nat", failure("udp-blocked"))
			: unknown("nat", "the browser names no address that a server has seen");
	}
	const other = seen.find(({ url }) => url !== first.url && url !== "" && first.url !== "");
	if (other !== undefined && refusals.length === 0) {
		const detail = `${first.address} and ${other.address}`;
		return { ...failed("nat", failure("nat-varies", detail)), ms };
	}
	const at = `seen at ${first.address}`;
	if (over && answered.length > 1 && refusals.length === 0 && first.url !== "")
		return ok("nat", `${at} by all servers`, ms);
	return {
		...unknown("nat", `${at}; it takes two servers, or two addresses of one, to see whether it varies`),
		ms,
	};
}

/** turnOf reads what TURN servers gave that are reached on one rung. */
export function turnOf(rung: TurnRung, { found, refusals, ms }: Gathered): Finding {
	const relayed = found.find(({ type }) => type === "relay");
	if (relayed !== undefined) return ok(rung, `gives ${relayed.address}`, ms);
	const refused = refusals.find(({ code }) => code !== NO_ANSWER);
	if (refused !== undefined) return failed(rung, failure("turn-refused", words(refused)));
	if (rung === "turn-udp") return failed(rung, failure("udp-blocked"));
	const { reason, remedy, name } = failure("turn-unreachable");
	if (rung !== "turn-tls") return failed(rung, { name, reason, remedy });
	return failed(rung, {
		name,
		reason: `${reason}; a browser accepts no self-signed certificate here`,
		remedy: "give the server a certificate from an authority that browsers trust, or stay on the relay",
	});
}

/** noTURN is why none could be asked. */
export function noTURN(rung: TurnRung, linked: boolean, any: boolean): Finding {
	if (!linked) return unknown(rung, "there is no link on which the server could name its TURN servers");
	return unknown(rung, any ? NO_TURN.noURL : NO_TURN.noServer);
}

function words({ code, text }: Refusal): string {
	return text === "" ? `error ${code}` : `error ${code}, ${text}`;
}
