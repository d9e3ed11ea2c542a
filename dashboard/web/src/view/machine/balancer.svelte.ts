import type { State } from "../../balance/cartpole";
import { Controller, EVERY, SET_BACK } from "../../balance/controller";
import { absent } from "../../hands/absent";
import type { Axis } from "../../port";
import type { App } from "../state/app.svelte";
import { Ages } from "./ages";
import { type PoleStreams, streamsOf } from "./known";
import { newestMoment } from "./moment";

/** The axis that the cart's motor has (device/machine), and the method that lifts the pole. */
const AXIS = "cart-force";
const LIFT = "reset-pole";
/** Among the inputs of the page it is one of its own. */
const INPUT = "balance";

/** A pole lies on the rail beyond this angle, in rad; its stance is an event, and may have been told before this page was there. */
const LIES = 1.5;

/** What the balancer waits for, or does. */
export type Phase = "off" | "lease" | "device" | "balancing" | "blind";

/**
 * Balancer balances the pole from this page. While it is switched on, and the
 * page is looked at, it is the hand: the same code that decides on a force counts
 * it, so that a page which hangs lets go. It fetches what came each time it
 * decides, and does not wait for the screen.
 */
export class Balancer {
	phase = $state.raw<Phase>("off");
	/** Why it ended by itself; "": it did not. */
	ended = $state.raw("");
	readonly ages = new Ages();

	private controller = new Controller();
	private readonly state: State = { x: 0, v: 0, angle: 0, spin: 0, down: false };
	private pole: PoleStreams | null = null;
	private seen = Number.NaN; // the newest moment that the controller was told of
	private lifted = false;
	private timer: ReturnType<typeof setInterval> | undefined;

	constructor(private readonly app: App) {}

	get on(): boolean {
		return this.phase !== "off";
	}

	dispose(): void {
		this.end("");
	}

	toggle(): void {
		if (this.on) this.end("");
		else this.begin();
	}

	private begin(): void {
		const { control, store } = this.app;
		this.pole = streamsOf(store)?.pole ?? null;
		this.controller = new Controller();
		this.seen = Number.NaN;
		this.lifted = false;
		this.ended = "";
		this.phase = "lease";
		if (!control.lease.mine) control.do("take");
		this.timer = setInterval(() => this.step(performance.now()), EVERY);
	}

	private end(why: string): void {
		clearInterval(this.timer);
		this.timer = undefined;
		this.phase = "off";
		this.ended = why;
		this.app.control.hands.letGo(INPUT);
	}

	private step(now: number): void {
		const { control } = this.app;
		const axis = control.machine?.axes.find(({ name }) => name === AXIS);
		if (!control.mayDrive || axis === undefined) {
			this.waiting();
			return;
		}
		this.app.pull();
		this.look(now);
		const driving = control.beat?.driving ?? "no";
		if (driving === "tripped") this.end("the device let go: nothing came from here for too long");
		else if (driving !== "driving") this.hold("device", axis, 0);
		else {
			this.lift();
			const force = this.controller.decide(now);
			this.ages.add(now, this.controller.horizon(now));
			this.hold(this.controller.ok ? "balancing" : "blind", axis, force);
		}
	}

	/** waiting: the lease is not this page's, yet or any more. */
	private waiting(): void {
		const { lease, stop } = this.app.control;
		if (stop?.stopped) this.end("the machine is stopped");
		else if (this.phase !== "lease") this.end("control was lost");
		else if (lease.code !== "") this.end(lease.reason || "somebody else has control");
	}

	/**
	 * hold is the hand. Where the page lets none be there, it is over; where it was
	 * too busy to count one, the hand lets go and comes again, as the switch says.
	 */
	private hold(phase: Phase, axis: Axis, force: number): void {
		const { hands } = this.app.control;
		const deflection = force / (force < 0 ? -axis.min : axis.max);
		if (hands.grip(INPUT, new Map([[axis.id, deflection]]), true)) {
			this.phase = phase;
			return;
		}
		hands.letGo(INPUT);
		const why = absent();
		if (why !== "") this.end(why);
		else this.phase = "device";
	}

	/** look tells the controller what is new: of one moment, all four. Packets that are lost or late part them. */
	private look(now: number): void {
		const { pole, app, state } = this;
		if (pole === null || pole.angle.latest.retained) return;
		if (pole.angle.latest.time < this.seen - SET_BACK) this.seen = Number.NaN;
		const moment = newestMoment([pole.x, pole.v, pole.angle, pole.spin], this.seen);
		if (moment === null) return;
		this.seen = moment.time;
		[state.x = 0, state.v = 0, state.angle = 0, state.spin = 0] = moment.values;
		state.down = lies(pole);
		this.controller.measured(app.path?.rttLeastMs ?? 0);
		this.controller.saw(moment.time, state, now);
	}

	/** lift has a pole that lies there lifted, once: it is what the switch is for. */
	private lift(): void {
		const { control } = this.app;
		const method = control.machine?.methods.find(({ name }) => name === LIFT);
		if (this.lifted || method === undefined || this.pole === null) return;
		this.lifted = true;
		if (lies(this.pole)) control.call(method, undefined);
	}
}

function lies({ stance, angle }: PoleStreams): boolean {
	const { text } = stance.latest;
	return text === "" ? Math.abs(angle.latest.value) > LIES : text === "down";
}
