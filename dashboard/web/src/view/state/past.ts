import type { ToWorker } from "../../port";
import type { DeviceStore } from "../../store/device";

type Wish = Omit<Extract<ToWorker, { type: "past" }>, "type">;

/** PastAsked are the charts of the open device for which the device's spool was asked: once each, behind what the page has. */
export class PastAsked {
	private readonly names = new Set<string>();

	/** described is what to ask for, now that these streams are known. Later holes the engine sees itself. */
	described(store: DeviceStore): Wish[] {
		const wishes: Wish[] = [];
		for (const stream of store.streams.values()) {
			const { name, class: cls, meta } = stream.info;
			if (cls !== "live" || meta.kind === "text" || this.names.has(name)) continue;
			this.names.add(name);
			wishes.push({ stream: name, ...stream.place() });
		}
		return wishes;
	}

	clear(): void {
		this.names.clear();
	}
}
