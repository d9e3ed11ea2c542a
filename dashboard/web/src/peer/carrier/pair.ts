import type { Rung } from "../ladder";

// What getStats says of the selected candidate pair. The statistics' members
// are named in W3C's "Identifiers for WebRTC's Statistics API"; browsers leave
// some out, so that each is looked at as unknown.

type Entry = Record<string, unknown>;

/** Pair is the selected candidate pair of a data-channel connection, in words, and the rung it makes. */
export interface Pair {
	local: string;
	remote: string;
	rung: Rung;
}

/** selectedPair is the way that a connection's packets take; null: none is known yet. */
export async function selectedPair(pc: RTCPeerConnection): Promise<Pair | null> {
	const entries = new Map<string, Entry>();
	(await pc.getStats()).forEach((entry: Entry, id: string) => {
		entries.set(id, entry);
	});
	return pairOf(entries);
}

/** pairOf finds the selected pair among the entries of a report. */
export function pairOf(entries: ReadonlyMap<string, Entry>): Pair | null {
	const pair = selected(entries);
	const local = entries.get(text(pair, "localCandidateId"));
	const remote = entries.get(text(pair, "remoteCandidateId"));
	if (local === undefined || remote === undefined) return null;
	return { local: describe(local), remote: describe(remote), rung: rungOf(local) };
}

function selected(entries: ReadonlyMap<string, Entry>): Entry | undefined {
	for (const entry of entries.values()) {
		const found = entry.type === "transport" && entries.get(text(entry, "selectedCandidatePairId"));
		if (found) return found;
	}
	// Firefox has no transport entry and marks the pair itself.
	return [...entries.values()].find((entry) => entry.type === "candidate-pair" && entry.selected === true);
}

/** rungOf is what this end knows: how it reaches its own TURN server, or that it needs none. */
function rungOf(local: Entry): Rung {
	if (text(local, "candidateType") === "relay") {
		const by = text(local, "relayProtocol") || byURL(text(local, "url"));
		return by === "tls" ? "turn-tls" : by === "tcp" ? "turn-tcp" : "turn-udp";
	}
	return text(local, "protocol") === "tcp" ? "tcp" : "udp";
}

/** byURL is how a TURN server is reached, where a browser names its URL only. */
function byURL(url: string): string {
	return /^turns:/i.test(url) ? "tls" : /transport=tcp$/i.test(url) ? "tcp" : "udp";
}

function describe(candidate: Entry): string {
	const address = text(candidate, "address") || text(candidate, "ip") || "(hidden)";
	const host = address.includes(":") ? `[${address}]` : address;
	const port = typeof candidate.port === "number" ? candidate.port : "?";
	return `${text(candidate, "candidateType")} ${host}:${port} ${text(candidate, "protocol")}`;
}

function text(entry: Entry | undefined, member: string): string {
	const value = entry?.[member];
	return typeof value === "string" ? value : "";
}
