import { Members } from "../wire";

/** TurnServer is a TURN server that a Conn may use, as RTCPeerConnection takes it. */
export interface TurnServer {
	urls: string[];
	username: string;
	credential: string;
}

/** Servers of one Conn, and URLs of one server, beyond which the rest is left out: each costs sockets. */
const MAX_SERVERS = 4;
const MAX_URLS = 8;
/** Longest URL and credential that is taken, in characters. */
const MAX_TEXT = 512;

/** parseServers reads the member `servers` of a signal (section 6.3). */
export function parseServers(m: Members): TurnServer[] {
	return m.list("servers", parseServer).slice(0, MAX_SERVERS);
}

function parseServer(value: unknown): TurnServer {
	const m = new Members(value);
	const urls = m.list("urls", (url) => (typeof url === "string" && url.length <= MAX_TEXT ? url : ""));
	return {
		urls: urls.filter((url) => /^turns?:/i.test(url)).slice(0, MAX_URLS),
		username: m.text("username").slice(0, MAX_TEXT),
		credential: m.text("credential").slice(0, MAX_TEXT),
	};
}
