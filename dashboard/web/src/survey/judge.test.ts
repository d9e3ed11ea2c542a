import { expect, test } from "vitest";
import type { Found, Gathered, Refusal } from "./gather";
import { natOf, noTURN, turnOf } from "./judge";

const gathered = (found: Found[], refusals: Refusal[] = [], over = true): Gathered => ({
	found,
	refusals,
	over,
	ms: 12,
});
const srflx = (address: string, url: string): Found => ({ type: "srflx", address, url });
const host: Found = { type: "host", address: "x.local:1", url: "" };
const silent = (url: string): Refusal => ({ url, code: 701, text: "" });
const [A, B] = ["stun:a:1", "stun:b:1"];
const seen = srflx("203.0.113.1:5", A);

test.each([
	["one server", [A], gathered([host, seen]), "unknown", "203.0.113.1:5"],
	["two that see the same", [A, B], gathered([host, seen]), "ok", "203.0.113.1:5"],
	["two that see two", [A, B], gathered([seen, srflx("203.0.113.1:6", B)]), "failed", "203.0.113.1:6"],
	["two networks of this machine", [A], gathered([seen, srflx("198.51.100.1:9", A)]), "unknown", "203.0.113.1:5"],
	["one of two silent", [A, B], gathered([seen], [silent(B)]), "unknown", "203.0.113.1:5"],
	["one of two still silent", [A, B], gathered([seen], [], false), "unknown", "203.0.113.1:5"],
	["one that is still silent", [A], gathered([host], [], false), "failed", "UDP does not get through"],
	["both silent", [A, B], gathered([host], [silent(A), silent(B)]), "failed", "UDP does not get through"],
	["a browser that tells nothing", [A], gathered([host]), "unknown", "names no address"],
	["a browser that does not say by whom", [A, B], gathered([srflx("203.0.113.1:5", "")]), "unknown", "203.0.113.1:5"],
])("NAT: %s", (_, asked, answers, verdict, words) => {
	const finding = natOf(asked, answers);
	expect(finding.verdict).toBe(verdict);
	expect(finding.note).toContain(words);
	expect(finding.failure !== undefined).toBe(verdict === "failed");
});

const relay: Found = { type: "relay", address: "192.0.2.9:7", url: "turn:a:1" };

test("TURN: an address, a refusal, silence", () => {
	expect(turnOf("turn-tcp", gathered([relay]))).toEqual({
		name: "turn-tcp",
		verdict: "ok",
		note: "gives 192.0.2.9:7",
		ms: 12,
	});
	const refused = turnOf("turn-udp", gathered([], [silent(A), { url: A, code: 401, text: "Unauthorized" }]));
	expect([refused.failure?.name, refused.note]).toEqual([
		"turn-refused",
		expect.stringContaining("error 401, Unauthorized"),
	]);
	expect(turnOf("turn-udp", gathered([])).failure?.name).toBe("udp-blocked");
	expect(turnOf("turn-tcp", gathered([])).failure?.name).toBe("turn-unreachable");
	expect(turnOf("turn-tls", gathered([])).failure?.reason).toContain("self-signed");
});

test("TURN that could not be asked is unknown", () => {
	for (const finding of [
		noTURN("turn-tls", false, false),
		noTURN("turn-tls", true, false),
		noTURN("turn-tls", true, true),
	]) {
		expect(finding.verdict).toBe("unknown");
	}
});
