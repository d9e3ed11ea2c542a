import { expect, test } from "vitest";
import { pairOf } from "./pair";

const report = (local: object, remote: object, transport = true) =>
	new Map<string, Record<string, unknown>>([
		["l", { type: "local-candidate", ...local }],
		["r", { type: "remote-candidate", ...remote }],
		["p", { type: "candidate-pair", localCandidateId: "l", remoteCandidateId: "r", selected: !transport }],
		...(transport ? [["t", { type: "transport", selectedCandidatePairId: "p" }] as const] : []),
	]);

const udp = { candidateType: "host", protocol: "udp", address: "192.0.2.1", port: 5000 };

test("a pair of hosts over UDP is direct", () => {
	expect(pairOf(report(udp, { ...udp, candidateType: "prflx", address: "2001:db8::1" }))).toEqual({
		local: "host 192.0.2.1:5000 udp",
		remote: "prflx [2001:db8::1]:5000 udp",
		rung: "udp",
	});
});

test.each([
	[{ ...udp, candidateType: "relay", relayProtocol: "udp" }, udp, "turn-udp"],
	[{ ...udp, candidateType: "relay", relayProtocol: "tcp" }, udp, "turn-tcp"],
	[{ ...udp, candidateType: "relay", relayProtocol: "tls" }, udp, "turn-tls"],
	[{ ...udp, candidateType: "relay", url: "turns:h:443?transport=tcp" }, udp, "turn-tls"],
	[{ ...udp, candidateType: "relay", url: "turn:h:443?transport=tcp" }, udp, "turn-tcp"],
	[{ ...udp, candidateType: "relay" }, udp, "turn-udp"],
	[{ ...udp, protocol: "tcp" }, udp, "tcp"],
])("%o to %o is %s", (local, remote, rung) => {
	expect(pairOf(report(local, remote))?.rung).toBe(rung);
});

test("without a transport entry the pair that is marked counts", () => {
	expect(pairOf(report(udp, { ...udp, address: undefined }, false))?.remote).toBe("host (hidden):5000 udp");
	expect(pairOf(new Map())).toBeNull();
});
