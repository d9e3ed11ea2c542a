import { EventArchive } from "./archive/events";
import { DEBUG_NAME } from "./engine/debug";
import { Engine } from "./engine/engine";
import { askWhy } from "./engine/why";
import { realEnv } from "./peer/env";
import type { FromWorker, ToWorker } from "./port";

// The Worker's entry: an Engine behind the Worker's own port. Timers and
// sockets go on here while the page is hidden or busy.

/** What this file needs of DedicatedWorkerGlobalScope, whose types exclude a page's. */
interface Scope {
	readonly name: string;
	onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
	onmessageerror: (() => void) | null;
	postMessage(message: FromWorker, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const debug = scope.name === DEBUG_NAME ? (...what: unknown[]) => console.debug("telepath:", ...what) : () => undefined;
const post = (message: FromWorker, transfer: Transferable[] = []) => scope.postMessage(message, transfer);
const env = realEnv(debug);
const archive = new EventArchive({ later: env.later, onState: (problem) => post({ type: "archive", problem }) });
const engine = new Engine({ env, post, archive, why: askWhy });

scope.onmessage = ({ data }) => {
	if (data.type === "rtc.channels" && !arrived(data.channels)) post({ type: "rtc.untransferable" });
	else engine.handle(data);
};
// The same, in a browser that refuses the whole message.
scope.onmessageerror = () => post({ type: "rtc.untransferable" });

/** Some browsers let channels be sent to a Worker and deliver nothing. */
function arrived(channels: unknown): boolean {
	return Array.isArray(channels) && channels.every((c) => typeof c === "object" && c !== null && "readyState" in c);
}
