import { Model, type Params, STANDARD, type State } from "./cartpole";
import { History } from "./history";
import { LeastOfLate } from "./least";

// The twin of device/machine/balance, which says what it is and why it works: both run the same scenarios. Times are in ms.

/** How often a force is to be decided on, in ms. */
export const EVERY = 10;
/** How far ahead a state may be predicted, in ms: beyond it what the wind has done since is greater than what is known. */
export const MAX_HORIZON = 700;
/** An angle from which no force of the motor brings the pole back, in rad. */
export const HOPELESS = 0.8;
/** How much older than the newest sample one is only if the device's clock was set, in ms: nothing is under way for so long. */
export const SET_BACK = 1_000;

/** Gains make a force of a state: those of the linear-quadratic regulator that the twin's test computes. */
const GAINS = { x: 4.684, v: 6.785, angle: 53.93, spin: 13.23 };

/** Controller keeps a pole upright from far away. Times are those of a monotonic clock of the caller's, in ms since any moment. */
export class Controller {
	/** ok says whether the latest force rests on a state: there is one, it is fresh enough, and the pole can be saved. */
	ok = false;

	private readonly model: Model;
	private roundTrip = 0;
	private readonly skew = new LeastOfLate(); // own time at arrival − the device's time in a sample
	private readonly newest: State = { x: 0, v: 0, angle: 0, spin: 0, down: false };
	private newestT = Number.NEGATIVE_INFINITY; // on the device's clock
	private readonly sent = new History();
	private readonly ahead: State = { ...this.newest };

	constructor(params: Params = STANDARD) {
		this.model = new Model(params);
	}

	/**
	 * measured takes the smallest of the latest round trips to the device: in one that is longer a packet waited for another, or
	 * was repeated, and neither forces nor states wait for that.
	 */
	measured(roundTrip: number): void {
		this.roundTrip = roundTrip;
	}

	/** saw takes a sample of the device's time t that arrived now. What is older than the newest one counts for nothing, unless its clock was set. */
	saw(t: number, s: Readonly<State>, now: number): void {
		if (t < this.newestT - SET_BACK) {
			this.skew.clear();
			this.newestT = Number.NEGATIVE_INFINITY;
		}
		this.skew.add(now - t, now);
		if (t <= this.newestT) return;
		this.newestT = t;
		Object.assign(this.newest, s);
	}

	/** decide is the force to send now, in N; it is taken to be sent. 0 where it is not ok. */
	decide(now: number): number {
		const { maxForce } = this.model.params;
		this.ok = this.predict(now);
		const force = this.ok ? Math.min(Math.max(wanted(this.ahead), -maxForce), maxForce) : 0;
		this.sent.add(now, force);
		return force;
	}

	/** horizon is how old the newest state will be when what is sent now acts. */
	horizon(now: number): number {
		return now - this.newestT - this.skew.least() + this.roundTrip;
	}

	/** predict finds the state in which a force that is sent now will find the pole. */
	private predict(now: number): boolean {
		const horizon = this.horizon(now);
		if (this.newest.down || !(horizon <= MAX_HORIZON)) return false;
		Object.assign(this.ahead, this.newest);
		this.sent.replay(this.model, this.ahead, now - horizon, now);
		return Math.abs(this.ahead.angle) < HOPELESS;
	}
}

function wanted(s: State): number {
	return GAINS.x * s.x + GAINS.v * s.v + GAINS.angle * s.angle + GAINS.spin * s.spin;
}
