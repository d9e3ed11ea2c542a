import { EventArchive } from "../archive/events";
import { realEnv } from "../peer/env";
import type { FromWorker } from "../port";
import { Engine } from "./engine";
import { askWhy } from "./why";

/** engineOnPage is an Engine beside the views, for browsers that cannot move data channels to a Worker. */
export function engineOnPage(receive: (message: FromWorker) => void, debugging: boolean): Engine {
	const debug = debugging ? (...what: unknown[]) => console.debug("telepath:", ...what) : () => undefined;
	const env = realEnv(debug);
	// Each message in a task of its own, as from a Worker: no call enters itself.
	const post = (message: FromWorker) => queueMicrotask(() => receive(message));
	const archive = new EventArchive({ later: env.later, onState: (problem) => post({ type: "archive", problem }) });
	return new Engine({ env, post, archive, why: askWhy, onPage: true });
}
