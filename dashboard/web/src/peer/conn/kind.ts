import { mayUse, type Rung } from "../ladder";
import type { TurnServer } from "../signal";

/** Kind of a data-channel connection (section 7.3): between the two ends, or through TURN servers. */
export type Kind = "direct" | "turned";

export const KINDS: readonly Kind[] = ["direct", "turned"];

/** TURN_RUNGS are the rungs of the turned kind, best first. */
export const TURN_RUNGS = ["turn-udp", "turn-tcp", "turn-tls"] as const satisfies readonly Rung[];

/** UDP_RUNG is the rung of a kind on which datagrams go as such. */
export const UDP_RUNG = { direct: "udp", turned: "turn-udp" } as const satisfies Record<Kind, Rung>;

/** kindOfRung is the kind of connection that a rung belongs to; null: none. */
export function kindOfRung(rung: Rung): Kind | null {
	if (rung === "udp" || rung === "tcp") return "direct";
	return TURN_RUNGS.some((turn) => turn === rung) ? "turned" : null;
}

/** turnRung is the rung that a TURN server's URL (RFC 7065) makes. */
export function turnRung(url: string): (typeof TURN_RUNGS)[number] {
	if (/^turns:/i.test(url)) return "turn-tls";
	return /[?&]transport=tcp$/i.test(url) ? "turn-tcp" : "turn-udp";
}

/** usable are the servers with those of their URLs whose rungs may be used (mayUse). */
export function usable(servers: readonly TurnServer[], only: readonly Rung[]): TurnServer[] {
	return servers.flatMap((server) => {
		const urls = server.urls.filter((url) => mayUse(turnRung(url), only));
		return urls.length === 0 ? [] : [{ ...server, urls }];
	});
}
