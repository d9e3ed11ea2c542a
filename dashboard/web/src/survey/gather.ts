/** Found is a local candidate: an address that somebody outside gave, or sees. */
export interface Found {
	type: string; // host, srflx, relay
	address: string; // HOST:PORT
	url: string; // of the server that it is from; "" where the browser does not say
}

/** Refusal is what a server, or the browser in its name, has against a request: RFC 8656 and RFC 8489 have the codes, W3C adds 701, no answer. */
export interface Refusal {
	url: string;
	code: number;
	text: string;
}

/** Gathered is what came of asking servers for addresses. */
export interface Gathered {
	found: Found[];
	refusals: Refusal[];
	over: boolean; // the browser has nothing more to ask; false: somebody says nothing
	ms: number; // until the last address, or the end
}

/** Servers that say nothing are given up after this, in ms. */
const PATIENCE = 6_000;

/** gather has the browser ask servers for addresses, and connects to nobody. With relay it is over at the first relayed one. */
export async function gather(config: RTCConfiguration): Promise<Gathered> {
	const pc = new RTCPeerConnection(config);
	const result: Gathered = { found: [], refusals: [], over: false, ms: 0 };
	const began = performance.now();
	try {
		pc.createDataChannel("survey");
		await new Promise<void>((resolve, reject) => {
			const late = setTimeout(resolve, PATIENCE);
			const end = () => {
				clearTimeout(late);
				resolve();
			};
			pc.onicecandidateerror = ({ url, errorCode, errorText }) =>
				result.refusals.push({ url, code: errorCode, text: errorText });
			pc.onicecandidate = ({ candidate }) => {
				if (candidate === null) {
					result.over = true;
					end();
					return;
				}
				const found = read(candidate);
				if (found === null) return;
				result.found.push(found);
				result.ms = performance.now() - began;
				if (found.type === "relay") end();
			};
			pc.setLocalDescription().catch(reject);
		});
		if (result.found.length === 0) result.ms = performance.now() - began;
		return result;
	} finally {
		pc.close();
	}
}

/** read is a candidate in short; null: it marks an end. */
function read(candidate: RTCIceCandidate): Found | null {
	const { type, address, port } = candidate;
	if (type === null || address === null || port === null) return null;
	const url = "url" in candidate && typeof candidate.url === "string" ? candidate.url : "";
	return { type, address: `${address.includes(":") ? `[${address}]` : address}:${port}`, url };
}
