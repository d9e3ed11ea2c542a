import { ChartArchive, type Piece } from "../../archive/charts";
import type { FromWorker } from "../../port";
import type { DeviceStore } from "../../store/device";
import { pieces, restore } from "../../store/reload";

/** Messages that put samples into the store: they wait until those of before are there. */
const WAITING = new Set<FromWorker["type"]>(["streams", "samples", "gap", "past.done"]);

/** Reload carries the charts over a reload of the page: samples that the store had are there again before new ones. */
export class Reload {
	private readonly archive = new ChartArchive();
	private device = "";
	private held: FromWorker[] | null = null;
	private kept: Piece[] = [];

	/** receive takes a message that had to wait. */
	constructor(private readonly receive: (message: FromWorker) => void) {}

	/** opened reads what is kept of the device that is open now. */
	opened(device: string): void {
		if (device === this.device) return;
		this.device = device;
		this.held = [];
		void this.archive.load(device, Date.now()).then((kept) => {
			if (device === this.device) this.loaded(kept);
		});
	}

	/** holds keeps a message back that came too early; false: it may be taken. */
	holds(message: FromWorker): boolean {
		if (this.held === null || !WAITING.has(message.type)) return false;
		this.held.push(message);
		return true;
	}

	/** described puts back what is kept of streams that are new. */
	described(store: DeviceStore): void {
		if (this.kept.length > 0) restore(store, this.kept);
	}

	/** save is called when the page is left, or the device. */
	save(store: DeviceStore, now: number): void {
		if (this.device !== "" && this.held === null)
			this.archive.save(this.device, pieces(store, store.clock.toDevice(now)), now);
	}

	closed(): void {
		this.device = "";
		this.held = null;
		this.kept = [];
	}

	clear(): void {
		this.archive.clear();
	}

	private loaded(kept: Piece[]): void {
		this.kept = kept;
		const { held } = this;
		this.held = null;
		for (const message of held ?? []) this.receive(message);
	}
}
