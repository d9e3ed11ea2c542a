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
	postMessage(message: FromWorker, transfer: Transferable[]): void;
}

/** The page gives the Worker this name when somebody is looking for a fault. */
export const DEBUG_NAME = "telepath debug";

const scope = globalThis as unknown as Scope;
const debug = scope.name === DEBUG_NAME ? (...what: unknown[]) => console.debug("telepath:", ...what) : () => undefined;
const engine = new Engine({
	env: realEnv(debug),
	post: (message, transfer = []) => scope.postMessage(message, transfer),
	why: askWhy,
});
scope.onmessage = ({ data }) => engine.handle(data);
