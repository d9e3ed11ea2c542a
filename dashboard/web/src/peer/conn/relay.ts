import type { LinkRung } from "../carrier/link-carrier";
import type { Rung } from "../ladder";
import type { ConnLink } from "./options";
import type { Paths } from "./paths";

/** Relay is the link under a Conn: the path that it makes to the device, and for a moment the one on the line that was left for it. */
export class Relay {
	link: ConnLink | null = null;
	path = 0; // 0: the device cannot be reached through the link now
	leftPath = 0; // used until the device is reached on the line that there is

	constructor(
		private readonly paths: Paths,
		private readonly only: readonly Rung[],
	) {}

	up(link: ConnLink): void {
		this.link = link;
		if (this.path === 0) return;
		if (this.leftPath !== 0) this.paths.down(this.leftPath);
		this.leftPath = this.path;
		this.path = 0;
	}

	/** down: the device cannot be reached through it. */
	down(): void {
		for (const path of [this.path, this.leftPath]) if (path !== 0) this.paths.down(path);
		this.path = this.leftPath = 0;
	}

	/** accepted: the device answered on the line that there is. */
	accepted(): void {
		const { link } = this;
		if (link !== null && this.path === 0 && this.may(false)) this.path = this.paths.up(link.rung, link.carrier());
		this.paths.accepted(this.path);
		if (this.leftPath !== 0) this.paths.down(this.leftPath);
		this.leftPath = 0;
	}

	/** step notes the rung that the link is on now. */
	step(): void {
		if (this.link !== null) this.paths.rerung(this.path, this.link.rung);
	}

	/** may says whether the link may carry more than signaling; left: the line that was left for it may, if it did. */
	may(left: boolean): boolean {
		if (this.only.length === 0) return true;
		return left ? this.leftPath !== 0 : this.link !== null && this.allows(this.link.rung);
	}

	private allows(rung: LinkRung): boolean {
		return this.only.includes(rung);
	}
}
