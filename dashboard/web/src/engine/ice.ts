import type { TurnServer } from "../peer/signal";

/**
 * directConfig is that of a direct connection. The server says which address it
 * sees of us (STUN), at the port of its URL over UDP unless it names another; 0: nowhere.
 */
export function directConfig(server: string, udp: number | null): RTCConfiguration {
	const stun = stunOf(server, udp);
	return { iceServers: stun === null ? [] : [{ urls: stun }] };
}

/** turnedConfig is that of a connection through TURN servers alone. */
export function turnedConfig(servers: readonly TurnServer[]): RTCConfiguration {
	return { iceServers: [...servers], iceTransportPolicy: "relay" };
}

/** isLocal tells a server on this computer, to which no NAT is on the way. */
export function isLocal(server: string): boolean {
	return URL.canParse(server) && /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(server).hostname);
}

/** stunOf is the server's STUN URL; null: it has none, or is this computer, to which no NAT is on the way. */
export function stunOf(server: string, udp: number | null): string | null {
	if (udp === 0 || !URL.canParse(server) || isLocal(server)) return null;
	const { protocol, hostname, port } = new URL(server);
	return `stun:${hostname}:${udp ?? (port || (/^(wss|https):$/.test(protocol) ? 443 : 80))}`;
}
