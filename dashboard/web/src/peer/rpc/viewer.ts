import type { Drive, Target, Tick } from "../wire";
import { type CallInfo, Calls } from "./calls";
import { Driver, type Surroundings } from "./driver";
import { parse } from "./hear";
import { type Identity, Lease, type LeaseInfo, WAIT } from "./lease";
import type { Command, Do, Machine, Outcome } from "./message";
import { Repeats } from "./repeats";
import { encode, tooLong } from "./say";
import { Ticks } from "./ticks";

/** A device that has not said what it offers after so many askings is not asked any more: it is of an earlier version, or we may not. */
const OPERATES = 8;
/** While a hand waits for the device to obey, the machine is asked for this often, in ms. */
const ARMING = 300;
/**
 * A lease that was this page's is taken again for so long, in ms: a device keeps
 * one that is not renewed no longer, and who gave up waiting for it must not get
 * it one day.
 */
const RETAKE = 5_000;

const NO_LEASE = { code: "no-lease", reason: "this method is only for whoever has control" };

/** StopInfo is how the stop stands. */
export interface StopInfo {
	stopped: boolean;
	by: string; // who did it
	since: number; // µs, the device's wall clock
	tookUs: number; // until all actuators were safe; 0: not told
	sending: "stop" | "reset" | null; // not answered yet
	rttMs: number | null; // of the one that was answered last
	code: string; // why a reset was refused
	reason: string;
}

/** ViewerEvents tell what has changed. What they hand over changes later: it is copied by who keeps it. */
export interface ViewerEvents {
	/** machine: null and a code where the device takes no commands, or says nothing to it. */
	onMachine(machine: Machine | null, code: string): void;
	/** onLease: heldMs is until when it is this page's if nothing is heard, from now; 0: it is not. */
	onLease(lease: LeaseInfo, heldMs: number): void;
	onStop(stop: StopInfo): void;
	onCall(call: CallInfo): void;
}

export interface ViewerOptions {
	uuid(): string;
	/** first is the first sequence number of Drives. */
	first: number;
	identity: Identity;
	/** path says whether there is one to the device. */
	path(): boolean;
	/** rtt of the best path in ms; 0: not known. */
	rtt(): number;
	/** send a Command: on the best path, or everywhere. */
	send(body: Uint8Array<ArrayBuffer>, everywhere: boolean): void;
	drive(drive: Drive): void;
	events: ViewerEvents;
}

/**
 * Viewer is this end's half of control (section 10): what is said until it is
 * answered, the lease, the stop, the hand. It is handed what came and `now`,
 * and asks for its next step by wake.
 */
export class Viewer {
	machine: Machine | null = null;
	readonly ticks = new Ticks();
	private described = 0; // the run of the device's program that told what it is
	private readonly repeats = new Repeats();
	private readonly calls: Calls;
	private readonly lease: Lease;
	private readonly driver: Driver;
	private readonly order = new Map<Outcome["type"], { epoch: number; at: number }>(); // of the newest that was taken
	private readonly stopInfo: StopInfo = {
		stopped: false,
		by: "",
		since: 0,
		tookUs: 0,
		sending: null,
		rttMs: null,
		code: "",
		reason: "",
	};
	private retake = -Infinity; // until then the lease is taken again: it was this page's when that was loaded, or before the device began anew
	private armAt = 0;

	constructor(private readonly options: ViewerOptions) {
		this.calls = new Calls(this.repeats, this.ticks, (call) => options.events.onCall(call));
		this.lease = new Lease(options.identity, this.repeats);
		this.driver = new Driver(options.first);
	}

	/** accepted: a new link, or a new session of the device. It is told again what we want of it. */
	accepted(now: number): void {
		this.repeats.add(now, "operate", { type: "operate", on: true });
		if (this.lease.joined()) this.tellLease(now);
		if (this.lease.info.mine) this.again(now);
	}

	/** again takes the lease as soon as that is possible: it was this page's a moment ago. */
	again(now: number): void {
		this.retake = now + RETAKE;
	}

	tick(now: number, tick: Tick): void {
		// The device began anew, and may know the lease still.
		if (this.ticks.heard(now, tick) && this.lease.info.mine) this.again(now);
		if (now < this.retake && this.machine !== null) this.leaseDo(now, "take");
	}

	/** outcome takes what came. It throws a FormatError where that cannot be read. */
	outcome(now: number, body: Uint8Array): void {
		const heard = parse(body);
		if (heard === null || this.isOld(heard)) return;
		switch (heard.type) {
			case "call":
				this.say(this.calls.heard(now, heard));
				break;
			case "lease":
				this.lease.heard(now, heard);
				this.tellLease(now);
				break;
			case "stop":
				this.stopped(now, heard);
				break;
			case "machine":
				if (heard.code === "") this.found(heard);
				else this.noMachine(heard.code);
				break;
		}
	}

	call(now: number, call: { id: string; method: string; params?: unknown }, wait: number, needsLease: boolean): void {
		const refused = needsLease && !this.lease.info.mine ? NO_LEASE : tooLong(call.id, call.method, call.params);
		this.calls.begin(now, { ...call, lease: needsLease, wait }, refused);
	}

	ask(now: number, id: string, method: string): void {
		this.calls.ask(now, id, method);
	}

	cancel(now: number, id: string): void {
		this.calls.cancel(now, id);
	}

	leaseDo(now: number, what: Do, to?: string): void {
		this.retake = -Infinity;
		if (this.lease.do(now, this.options.uuid(), what, this.ticks.by(now, WAIT), to)) this.tellLease(now);
	}

	/** stop is said on every path until it is answered. */
	stop(now: number): void {
		if (this.stopInfo.sending === "stop") return;
		const { name } = this.options.identity;
		this.repeats.answered("reset");
		this.repeats.add(now, "stop", { type: "stop", id: this.options.uuid(), name });
		this.tellStop({ sending: "stop", tookUs: 0, code: "", reason: "" });
	}

	reset(now: number): void {
		const deadline = this.ticks.by(now, WAIT);
		if (deadline === null || this.stopInfo.sending !== null) return;
		const { name } = this.options.identity;
		// A stop that came later, of which this page does not know, it does not end.
		const heard = this.order.get("stop");
		const at = heard?.epoch === deadline.epoch ? { at: heard.at } : {};
		this.repeats.add(now, "reset", { type: "reset", id: this.options.uuid(), name, ...at, ...deadline }, now + WAIT);
		this.tellStop({ sending: "reset", code: "", reason: "" });
	}

	/** stopping: a stop was said, and is not answered yet. */
	get stopping(): boolean {
		return this.stopInfo.sending === "stop";
	}

	/** hand is what the page's input code says, and nobody else. */
	hand(now: number, counter: number, targets: readonly Target[]): void {
		this.driver.take(now, counter, targets, this.machine?.axes ?? []);
	}

	/** driving says how it stands with the hand, for people. */
	driving(now: number): "no" | "neutral" | "driving" | "tripped" {
		if (!this.driver.present(now) || !this.lease.info.mine) return "no";
		if (this.driver.tripped) return "tripped";
		return this.machine?.moving ? "driving" : "neutral";
	}

	/** step says what is due. */
	step(now: number): void {
		const path = this.options.path();
		if (this.lease.expired(now)) {
			this.retake = -Infinity;
			this.tellLease(now);
		}
		if (this.lease.due(now)) this.lease.do(now, this.options.uuid(), "renew", this.ticks.by(now, WAIT));
		this.arm(now);
		for (const { command, key } of this.repeats.over(now)) this.unanswered(now, command, key);
		this.calls.step(now, this.lease.fence);
		if (!path) return;
		for (const { command, said } of this.repeats.due(now, this.options.rtt())) {
			if (command.type === "operate" && said > OPERATES) this.noMachine("unanswered");
			else this.say(command);
			this.calls.said(command);
		}
		const drive = this.driver.step(now, this.surroundings());
		if (drive !== null) this.options.drive(drive);
	}

	wake(now: number): number {
		const path = this.options.path();
		const driver = path ? this.driver.wake(now, this.surroundings()) : Infinity;
		return Math.min(this.repeats.wake(path), this.lease.wake(), this.calls.wake(), driver);
	}

	private surroundings(): Surroundings {
		const { machine, lease, ticks } = this;
		const fence = lease.info.mine ? lease.fence : 0;
		return {
			fence,
			tick: ticks.newest,
			axes: machine?.axes ?? [],
			moving: machine?.moving ?? false,
			rtt: this.options.rtt(),
		};
	}

	/** arm asks for the machine's state while a hand waits for it: the word that it obeys may have been lost. */
	private arm(now: number): void {
		if (this.driving(now) !== "neutral") this.armAt = now + ARMING;
		else if (now >= this.armAt) {
			this.armAt = now + ARMING;
			this.say({ type: "operate", on: true });
		}
	}

	/** isOld says whether something newer of the same kind was said. */
	private isOld({ type, epoch, at }: Outcome): boolean {
		if (type === "call" || at === 0) return false;
		const last = this.order.get(type);
		if (this.ticks.isOver(epoch) || (last?.epoch === epoch && at < last.at)) return true;
		this.order.set(type, { epoch, at });
		return false;
	}

	private found({ description, moving, epoch }: Extract<Outcome, { type: "machine" }>): void {
		if (description !== null) {
			this.repeats.answered("operate");
			this.machine = { ...description, moving };
			this.described = epoch;
		} else if (this.machine !== null && this.described === epoch) this.machine = { ...this.machine, moving };
		else return; // what it is was not told yet: that is asked for until it is
		this.options.events.onMachine(this.machine, "");
	}

	private noMachine(code: string): void {
		this.repeats.answered("operate");
		this.machine = null;
		this.options.events.onMachine(null, code);
	}

	private stopped(now: number, heard: Extract<Outcome, { type: "stop" }>): void {
		const { stopped, by, since, tookUs, code, reason } = heard;
		const { sending } = this.stopInfo;
		const said = sending === null ? undefined : this.repeats.answeredBy(sending, heard.id);
		const answer = said === undefined ? {} : { sending: null, rttMs: now - said.since, code, reason };
		const took = tookUs === 0 && since === this.stopInfo.since ? {} : { tookUs }; // that of another stop says nothing of this one
		this.tellStop({ stopped, by, since, ...took, ...answer });
	}

	private unanswered(now: number, command: Command, key: string): void {
		if (command.type === "call" || command.type === "ask") this.calls.over(now, command);
		if (command.type === "reset")
			this.tellStop({ sending: null, code: "late", reason: "the device did not answer in time" });
		if (command.type !== "lease") return;
		this.lease.unanswered(key);
		this.tellLease(now);
	}

	private tellLease(now: number): void {
		const { info, until } = this.lease;
		this.options.events.onLease(info, info.mine ? Math.max(0, until - now) : 0);
	}

	private tellStop(change: Partial<StopInfo>): void {
		Object.assign(this.stopInfo, change);
		this.options.events.onStop(this.stopInfo);
	}

	private say(command: Command | null): void {
		if (command !== null) this.options.send(encode(command), command.type === "stop");
	}
}
