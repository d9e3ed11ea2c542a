import type { Device } from "../peer/signal";

/** Presence is the list of devices as the server told it: in full at first, then what changed. */
export class Presence {
	private readonly told = new Map<string, { device: Device; at: number }>();

	/** tell merges a `devices` signal, which came at now (ms), and returns the whole list, by name: ages in it are those of now. */
	tell(full: boolean, devices: readonly Device[], now: number): Device[] {
		if (full) this.told.clear();
		for (const device of devices) this.told.set(device.id, { device, at: now });
		return this.list(now);
	}

	private list(now: number): Device[] {
		return [...this.told.values()]
			.map(({ device, at }) => (device.heardMs === null ? device : { ...device, heardMs: device.heardMs + now - at }))
			.sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	}
}
