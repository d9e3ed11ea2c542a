import { isRefusal, refusalOf } from "../peer/carrier/answer";
import type { Asked } from "../peer/link/race";

/** How long the server may take to say why, in ms. */
const PATIENCE = 3_000;

/**
 * askWhy asks the server by plain HTTP why it refuses the link: a browser hides
 * the answer to a WebSocket's request. The token goes in a header, as from any
 * other client. A server that has nothing against us and answers did not refuse: the
 * upgrade did not get through to it.
 */
export async function askWhy(url: string, token: string): Promise<Asked> {
	try {
		const response = await fetch(url, {
			headers: token === "" ? {} : { Authorization: `Bearer ${token}` },
			signal: AbortSignal.timeout(PATIENCE),
			cache: "no-store",
			credentials: "omit",
		});
		const refusal = refusalOf(await response.text());
		const ofUs = isRefusal(refusal) && refusal.code !== "no-upgrade"; // which this request lacks, and the WebSocket's did not
		return { refusal: ofUs ? refusal : null, reached: true };
	} catch {
		return { refusal: null, reached: false }; // it cannot be reached: that is the answer
	}
}
