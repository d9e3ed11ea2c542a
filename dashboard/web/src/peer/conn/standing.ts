import type { Device, Refusal } from "../signal";
import { codeByName } from "../wire";
import { Opening } from "./opening";

/** Refused is why there is no Conn, for people, and which devices may have been meant. */
export type Refused = Refusal & { candidates: Device[] };

/** Change is what news of a device means for its Conn. */
export type Change = "away" | "renewed" | "none";

/**
 * Standing is how a Conn stands with its device: asked for, accepted, refused,
 * or the device is away. Pure: it is told what the server and the device said.
 */
export class Standing {
	readonly opening = new Opening();
	device: Device | null = null;
	refused: Refused | null = null;
	/** The device has no direct paths and answers no offers. */
	relayed = false;
	/** The device can make turned connections. */
	turned = false;

	/** presence takes news of the device. A new session of it knows nothing of this Conn, which has to be opened again. */
	presence(now: number, device: Device, changed: boolean): Change {
		const renewed = changed && (device.session !== this.device?.session || !this.opening.accepted);
		this.device = device;
		this.refused = null;
		if (device.state === "offline") {
			this.opening.accepted = false;
			return "away";
		}
		if (!renewed) return "none";
		this.relayed = false;
		this.opening.restart(now);
		return "renewed";
	}

	refuse(now: number, refused: Refused, random: () => number): void {
		this.refused = refused;
		this.opening.refused(now, codeByName(refused.code).retry, random);
	}

	accept({ relayed, turned }: { relayed: boolean; turned: boolean }): void {
		this.opening.accept();
		this.relayed = relayed;
		this.turned = turned;
		this.refused = null;
	}

	/** hopeful says whether attempts at a direct path make sense. Before the server's first word they do: that saves a round trip. */
	hopeful(linked: boolean): boolean {
		if (this.refused !== null || this.relayed) return false;
		return this.device === null || (linked && this.device.state !== "offline");
	}
}
