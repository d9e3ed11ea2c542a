import type { StreamInfo } from "../../port";
import type { DeviceStore } from "../../store/device";
import type { StreamStore } from "../../store/stream";

/** What the simulated machine says in its streams' descriptions (device/machine): by that, and by their names, a page knows it. */
const SOURCE = "machine";

const POLE = {
	x: "pole/x",
	v: "pole/v",
	angle: "pole/angle",
	spin: "pole/spin",
	force: "pole/force",
	stance: "pole/state",
};
const ROVER = { x: "rover/x", y: "rover/y", heading: "rover/heading", speed: "rover/speed", horn: "rover/horn" };

/** isMachine says whether a device's streams are those of the simulated machine, which is drawn. */
export function isMachine(streams: readonly StreamInfo[]): boolean {
	const names = new Set(streams.filter(({ meta }) => meta.source === SOURCE && meta.simulated).map(({ name }) => name));
	return [...Object.values(POLE), ...Object.values(ROVER)].every((name) => names.has(name));
}

export type PoleStreams = Record<keyof typeof POLE, StreamStore>;
export type RoverStreams = Record<keyof typeof ROVER, StreamStore>;

/** streamsOf finds what came of the machine; null: it is not described (any more). */
export function streamsOf(store: DeviceStore): { pole: PoleStreams; rover: RoverStreams } | null {
	const pole = pick(store, POLE);
	const rover = pick(store, ROVER);
	return pole === null || rover === null ? null : { pole, rover };
}

function pick<K extends string>(store: DeviceStore, names: Record<K, string>): Record<K, StreamStore> | null {
	const byName = new Map([...store.streams.values()].map((stream) => [stream.info.name, stream]));
	const found: Partial<Record<K, StreamStore>> = {};
	for (const key of Object.keys(names) as K[]) {
		const stream = byName.get(names[key]);
		if (stream === undefined) return null;
		found[key] = stream;
	}
	return found as Record<K, StreamStore>;
}
