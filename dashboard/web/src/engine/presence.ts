import type { Device as Told } from "../peer/signal";
import type { Device } from "../port";

/** Presence is the list of devices as the server told it: in full at first, then what changed. */
export class Presence {
	private readonly devices = new Map<string, Device>();

	/** tell merges a `devices` signal and returns the whole list, by name. */
	tell(full: boolean, devices: readonly Told[]): Device[] {
		if (full) this.devices.clear();
		for (const device of devices) this.devices.set(device.id, shown(device));
		return this.list();
	}

	private list(): Device[] {
		return [...this.devices.values()].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	}
}

/** shown is a device as the page gets it. */
export function shown(device: Told): Device {
	const { id, name, since, session, facts } = device;
	return {
		id,
		name,
		state: device.state,
		since,
		heardMs: device.heard_ms ?? null,
		session: session ?? 0,
		facts: facts ?? {},
	};
}
