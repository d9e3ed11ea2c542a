import { expect, test } from "vitest";
import { directConfig, stunOf, turnedConfig } from "./ice";

test.each([
	["wss://example.org/v1/link", null, "stun:example.org:443"],
	["ws://example.org/v1/link", null, "stun:example.org:80"],
	["ws://192.0.2.1:8080/v1/link", null, "stun:192.0.2.1:8080"],
	["ws://[2001:db8::1]:8080/v1/link", null, "stun:[2001:db8::1]:8080"],
	["wss://example.org/v1/link", 3478, "stun:example.org:3478"],
	["wss://example.org/v1/link", 0, null],
	["ws://localhost:8080/v1/link", null, null],
	["ws://127.0.0.1:8080/v1/link", null, null],
	["no URL", null, null],
])("%s with port %s has %s", (server, udp, want) => {
	expect(stunOf(server, udp)).toBe(want);
});

test("a direct connection has no TURN, a turned one nothing else", () => {
	const server = { urls: ["turn:h:1"], username: "u", credential: "c" };
	expect(directConfig("ws://h:1/v1/link", null)).toEqual({ iceServers: [{ urls: "stun:h:1" }] });
	expect(turnedConfig([server])).toEqual({ iceServers: [server], iceTransportPolicy: "relay" });
});
