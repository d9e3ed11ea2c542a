import type { Kept, What } from "../archive/entry";
import type { Archive, Loaded } from "../archive/events";
import type { Received, Resume } from "../peer/conn/streams";
import type { Device, Stream } from "../peer/signal";

/**
 * Keeper is what a Conn leaves for the page's next life: it hands the archive
 * what was delivered of class Event, and gives out what was kept before, once.
 */
export class Keeper {
	private device: Device | null = null;
	private readonly kept = new Map<string, Kept[]>();

	constructor(
		private readonly archive: Archive | null,
		private readonly loaded: Loaded | null,
	) {
		for (const entry of loaded?.entries ?? []) {
			const of = this.kept.get(entry.name);
			if (of === undefined) this.kept.set(entry.name, [entry]);
			else of.push(entry);
		}
	}

	/** resumes are how far the streams got. */
	get resumes(): readonly Resume[] {
		return this.loaded?.places ?? [];
	}

	/** identify takes the server's word who the device is; false: what was kept is of another one by its name. */
	identify(device: Device): boolean {
		this.device = device;
		if (this.loaded === null || this.loaded.id === device.id) return true;
		this.kept.clear();
		return false;
	}

	/** take gives out what is kept of a stream. */
	take(stream: Stream): Kept[] {
		const entries = stream.class === "event" ? this.kept.get(stream.name) : undefined;
		this.kept.delete(stream.name);
		return entries ?? [];
	}

	/** batch keeps a batch, or the part of it that was delivered. The payload is the carrier's: the archive gets a copy. */
	batch({ stream, header, payload, skip, take }: Received): void {
		const { epoch, seq, count } = header;
		this.add(stream, epoch, { what: "batch", seq, count, skip, take, payload: payload.slice() });
	}

	gap(stream: Stream, epoch: number, from: number, to: number | null, reason: number): void {
		this.add(stream, epoch, { what: "gap", from, to, reason });
	}

	start(stream: Stream, epoch: number, seq: number): void {
		this.add(stream, epoch, { what: "start", seq });
	}

	final(stream: Stream, epoch: number, seq: number): void {
		this.add(stream, epoch, { what: "final", seq });
	}

	/** The server names the device before anything of it comes. */
	private add({ id, name }: Stream, epoch: number, what: What): void {
		if (this.device !== null) this.archive?.add(this.device, { id, name, epoch, ...what });
	}
}
