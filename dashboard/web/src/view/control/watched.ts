import type { DeviceStore } from "../../store/device";
import type { StreamStore } from "../../store/stream";

/** Streams on which a device tells whoever watches it who drives it, and whether it is stopped (device/control). */
const SOURCE = "control";
const HOLDER = "control/holder";
const STOPPED = "control/stopped";

/** Longest name of an operator that is shown, in characters (protocol, 10.1). */
const MAX_NAME = 64;

/** Watched is what a device says of its control to who may only watch. */
export interface Watched {
	/** "": nobody; null: it has not said. */
	holder: string | null;
	stopped: boolean | null; // null: it has not said
	simulated: boolean;
	/** It may be different by now: it was kept from before, or no path leads to the device. */
	old: boolean;
}

/** watched reads what came of a device's control; null: it has none. now is the device's time in ms. */
export function watched(store: DeviceStore, now: number): Watched | null {
	const all = [...store.streams.values()].filter(({ info }) => info.meta.source === SOURCE);
	const holder = all.find(({ info }) => info.name === HOLDER && info.meta.kind === "text");
	const stopped = all.find(({ info }) => info.name === STOPPED && info.meta.kind === "bool");
	if (holder === undefined || stopped === undefined) return null;
	return {
		holder: said(holder) ? holder.latest.text.slice(0, MAX_NAME) : null,
		stopped: said(stopped) ? stopped.latest.value !== 0 : null,
		simulated: holder.info.meta.simulated,
		old: holder.isStale(now) || stopped.isStale(now),
	};
}

function said({ latest }: StreamStore): boolean {
	return !Number.isNaN(latest.time);
}

/** holderWords says who has control. */
export function holderWords({ holder }: Watched): string {
	if (holder === null) return "Unknown who has control";
	return holder === "" ? "Nobody has control" : `${holder} has control`;
}

/** stoppedWords says whether it is stopped. */
export function stoppedWords({ stopped }: Watched): string {
	if (stopped === null) return "Unknown whether it is stopped";
	return stopped ? "Stopped" : "Not stopped";
}
