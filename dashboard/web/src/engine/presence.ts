import type { Device } from "../peer/signal";

/** Presence is the list of devices as the server told it: in full at first, then what changed. */
export class Presence {
	private readonly devices = new Map<string, Device>();

	/** tell merges a `devices` signal and returns the whole list, by name. */
	tell(full: boolean, devices: readonly Device[]): Device[] {
		if (full) this.devices.clear();
		for (const device of devices) this.devices.set(device.id, device);
		return this.list();
	}

	private list(): Device[] {
		return [...this.devices.values()].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	}
}
