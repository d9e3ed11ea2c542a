import { duration } from "../format/time";
import { RUNG_NAMES } from "../format/words";
import type { App } from "../state/app.svelte";

/** Silence of the path in use, in ms, that the badge tells: before that another path takes over, and nobody has to know. */
const SILENT_MS = 1_000;

/** Badge is what a device's badge says of its path. */
export interface Badge {
	name: string;
	tone: "direct" | "relayed" | "none";
	/** Said in place of figures that are no longer true; "": they are. */
	silence: string;
}

/** badge is honest about a path that is still in use, since there is no better one, and dead. */
export function badge({ path, device, refusal }: Pick<App, "path" | "device" | "refusal">): Badge {
	const rung = path?.rung ?? null;
	const silentMs = path?.silentMs ?? 0;
	const away = device?.state === "offline" && (rung === null || silentMs > 0);
	if (refusal !== null) return { name: "No path", tone: "none", silence: "" };
	if (away) return { name: "No path: offline", tone: "none", silence: "" };
	if (rung === null) return { name: "Finding a path", tone: "none", silence: "" };
	if (silentMs >= SILENT_MS)
		return { name: RUNG_NAMES[rung], tone: "none", silence: `no answer for ${duration(silentMs)}` };
	return { name: RUNG_NAMES[rung], tone: rung === "udp" || rung === "tcp" ? "direct" : "relayed", silence: "" };
}
