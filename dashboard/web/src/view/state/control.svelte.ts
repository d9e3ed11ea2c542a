import { absent, watchAbsence } from "../../hands/absent";
import { Awake } from "../../hands/awake";
import { Hands } from "../../hands/hands";
import { randomUUID } from "../../peer/env";
import {
	type CallInfo,
	type Do,
	type FromControl,
	type LeaseInfo,
	type Machine,
	type Method,
	type StopInfo,
	type ToControl,
	waitingCall,
} from "../../port";
import {
	type Identity,
	identity,
	keepCalls,
	keepHeld,
	leaveKey,
	openCalls,
	rename,
	takeKey,
	wasHeld,
} from "./identity";
import { kept } from "./kept";

/** How long a call may wait for its turn at the device, in ms: what is not done by then shall not be done. */
const CALL_WAIT = 2_000;
/** Calls that are shown. */
const MAX_LOG = 30;

/** Entry is a line of the command log. */
export interface Entry extends CallInfo {
	at: number; // ms; when it was said here
	params: unknown;
}

type Beat = Extract<FromControl, { type: "control.state" }>;

const NOBODY: LeaseInfo = { holder: null, mine: false, asks: [], asking: false, code: "", reason: "", lost: false };
const RUNNING: StopInfo = {
	stopped: false,
	by: "",
	since: 0,
	tookUs: 0,
	sending: null,
	rttMs: null,
	code: "",
	reason: "",
};

/** Control is what the views show of the hand on a device: the machine, who has the lease, the stop, the calls. */
export class Control {
	machine = $state.raw<Machine | null>(null);
	/** Why there is none, or why it cannot be driven from here; "": neither. */
	code = $state.raw("");
	lease = $state.raw<LeaseInfo>(NOBODY);
	/** null: the device has not said. */
	stop = $state.raw<StopInfo | null>(null);
	/** When the stop that is on its way was pressed, ms; null: none is. */
	stoppingSince = $state.raw<number | null>(null);
	log = $state.raw<Entry[]>([]);
	beat = $state.raw<Beat | null>(null);
	/** When that came, ms. */
	beatAt = 0;
	held = $state.raw(false);
	/** Why the hand was released, if it did not let go itself. */
	released = $state.raw("");
	who = $state.raw<Identity>(identity());

	readonly hands: Hands;
	private readonly awake = new Awake("wakeLock" in navigator ? navigator.wakeLock : undefined);
	private device = "";
	private unwatch: () => void;
	private readonly leave = () => leaveKey(this.who.key);

	constructor(
		private readonly send: (message: ToControl) => void,
		private readonly announce: (text: string) => void,
		moved: (input: string) => void,
	) {
		this.hands = new Hands({
			send: (hand, targets) => send({ type: "hand", hand, targets }),
			moved,
			absent,
			now: () => performance.now(),
			first: Date.now(),
		});
		this.hands.listen((held, why) => {
			this.held = held;
			this.awake.set(held);
			this.released = why;
			if (why !== "") announce(`Released: ${why}.`);
		});
		this.unwatch = watchAbsence((why) => this.hands.release(why));
		send({ type: "control.identity", ...this.who });
		window.addEventListener("pagehide", this.leave);
		window.addEventListener("pageshow", takeKey);
	}

	dispose(): void {
		this.hands.release("");
		window.removeEventListener("pagehide", this.leave);
		window.removeEventListener("pageshow", takeKey);
		this.unwatch();
	}

	/** mayDrive says whether hands move something: the lease is this page's, and nothing is stopped. */
	get mayDrive(): boolean {
		return this.lease.mine && this.machine !== null && this.code === "" && this.stop?.stopped !== true;
	}

	/** clear is for another device, or none. */
	clear(): void {
		this.hands.of([]);
		if (this.lease.mine) this.do("release");
		this.device = "";
		this.machine = null;
		this.code = this.released = "";
		this.lease = NOBODY;
		this.stop = this.beat = this.stoppingSince = null;
		this.log = [];
	}

	/** opened: the server has named the device. */
	opened(device: string): void {
		if (device === this.device) return;
		this.device = device;
		for (const { id, method } of openCalls(device)) this.send({ type: "control.ask", id, method });
		if (wasHeld(device)) this.send({ type: "control.again" });
	}

	receive(message: FromControl): void {
		switch (message.type) {
			case "control.machine":
				this.machine = kept(this.machine, message.machine);
				this.code = message.code;
				break;
			case "control.lease":
				this.leaseChanged(message.lease, message.heldMs);
				break;
			case "control.stop":
				this.stopChanged(message.stop);
				break;
			case "control.call":
				this.called(message.call);
				break;
			case "control.state":
				this.beatAt = Date.now();
				this.beat = message;
				break;
		}
		this.hands.of(this.mayDrive ? (this.machine?.axes ?? []) : []);
	}

	/** rename is what other operators are shown from now on. */
	rename(name: string): void {
		this.who = rename(this.who, name);
		this.send({ type: "control.identity", ...this.who });
	}

	do(what: Do, to?: string): void {
		if (what === "release") this.hands.release("");
		this.send({ type: "control.lease", do: what, ...(to === undefined ? {} : { to }) });
	}

	/** press is the stop: it is sent until the device has answered. */
	press(): void {
		if (this.machine === null) return;
		this.hands.release("");
		this.stoppingSince ??= Date.now(); // whether the Worker has heard of it or not
		this.send({ type: "control.stop" });
	}

	reset(): void {
		this.send({ type: "control.reset" });
	}

	call(method: Method, params: unknown): void {
		const id = randomUUID();
		const entry: Entry = { ...waitingCall(id, method.name), at: Date.now(), params };
		this.log = [entry, ...this.log].slice(0, MAX_LOG);
		const what = { id, method: method.name, waitMs: CALL_WAIT, lease: method.lease };
		this.send({ type: "control.call", ...what, ...(params === undefined ? {} : { params }) });
		this.keep();
	}

	cancel(id: string): void {
		this.send({ type: "control.cancel", id });
	}

	private leaseChanged(lease: LeaseInfo, heldMs: number): void {
		const before = this.lease;
		this.lease = lease;
		keepHeld(this.device, heldMs);
		if (before.asking && !lease.asking && lease.code !== "") this.announce(`Refused: ${lease.reason || lease.code}.`);
		if (before.mine && !lease.mine) this.hands.release(lease.lost ? "control was lost" : "");
		if (before.mine !== lease.mine) this.announce(lease.mine ? "You have control." : "You no longer have control.");
		if (lease.mine && lease.asks.length > before.asks.length)
			this.announce(`${lease.asks.at(-1)?.name} asks for control.`);
	}

	private stopChanged(stop: StopInfo): void {
		const before = this.stop ?? RUNNING;
		this.stop = stop;
		if (stop.sending !== "stop") this.stoppingSince = null;
		else this.stoppingSince ??= Date.now();
		if (stop.stopped) this.hands.release("the machine was stopped");
		if (before.stopped !== stop.stopped) this.announce(stop.stopped ? `Stopped by ${stop.by}.` : "The stop was reset.");
	}

	private called(call: CallInfo): void {
		const known = this.log.find(({ id }) => id === call.id);
		const entry: Entry = { at: known?.at ?? Date.now(), params: known?.params, ...call };
		this.log = known ? this.log.map((one) => (one === known ? entry : one)) : [entry, ...this.log].slice(0, MAX_LOG);
		if (isOver(entry)) this.announce(`${entry.method}: ${entry.state}.`);
		this.keep();
	}

	private keep(): void {
		keepCalls(
			this.device,
			this.log.filter((entry) => !isOver(entry)),
		);
	}
}

/** isOver says whether an entry has its end. */
export function isOver({ state }: Pick<Entry, "state">): boolean {
	return state !== "waiting" && state !== "sent" && state !== "received" && state !== "running";
}
