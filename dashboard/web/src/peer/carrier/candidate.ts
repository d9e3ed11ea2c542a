// Candidates as they are told (RFC 8839, section 5.1).

/** transportOf is what a candidate is over, "udp" or "tcp". */
export function transportOf(candidate: string): string {
	return (candidate.split(" ")[2] ?? "").toLowerCase();
}

/** isListening tells a candidate at which the other end takes TCP connections (RFC 6544, section 4.5). */
export function isListening(candidate: string): boolean {
	return transportOf(candidate) === "tcp" && / typ host tcptype passive\b/i.test(candidate);
}

/** withCandidates is a description with those of its candidates alone that are wanted. */
export function withCandidates(sdp: string, wanted: (candidate: string) => boolean): string {
	const lines = sdp.split(/(?<=\n)/);
	return lines.filter((line) => !line.startsWith("a=candidate:") || wanted(line.slice(2).trimEnd())).join("");
}
