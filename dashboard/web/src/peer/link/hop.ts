import type { ChannelRung } from "../carrier/link-carrier";
import { Ladder } from "../ladder";

/** The one carrier on a hop's ladder. */
const ID = 1;

/**
 * Hop watches the way to the server while the link is on data channels. A
 * WebSocket that breaks says so, mostly; what drops UDP never does, so it is
 * found out as on any path of a Conn (section 7.2). Pure: times are handed in.
 */
export class Hop {
	private readonly ladder = new Ladder();

	constructor(now: number, rung: ChannelRung) {
		this.ladder.up(now, ID, rung);
		this.ladder.proved(now, ID, 0); // the server has let us in
	}

	heard(now: number): void {
		this.ladder.heard(now, ID);
	}

	proved(now: number, rtt: number): void {
		this.ladder.proved(now, ID, rtt);
	}

	probed(now: number): void {
		this.ladder.probed(now, ID);
	}

	/** carries says whether somebody waits for what the link carries; else it is only kept ready. */
	carries(on: boolean): void {
		this.ladder.rest(!on);
	}

	/** step says whether a probe is due, whether the way is in doubt, and when to ask again. */
	step(now: number): { probe: boolean; doubt: boolean; wake: number } {
		const { probe, wake } = this.ladder.step(now);
		return { probe: probe.length > 0, doubt: this.ladder.state(ID).inDoubt, wake };
	}
}
