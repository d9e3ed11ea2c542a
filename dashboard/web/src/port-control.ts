// The part of the port that is about control: a hand on the device. It is
// imported through port.ts.

import type { CallInfo, Do, LeaseInfo, Machine, StopInfo } from "./peer/rpc";
import type { Target } from "./peer/wire";

export type { Axis, CallInfo, Do, LeaseInfo, Machine, Method, Operator, StopInfo } from "./peer/rpc";
export { mayOperate, waitingCall } from "./peer/rpc";
export type { Target } from "./peer/wire";

/** ToControl is what the page says of control. */
export type ToControl =
	| { type: "control.identity"; key: string; name: string } // before the first device is opened
	| { type: "control.again" } // the lease was this page's a moment ago, before it was loaded again
	| { type: "control.lease"; do: Do; to?: string }
	| { type: "control.call"; id: string; method: string; params?: unknown; waitMs: number; lease: boolean }
	| { type: "control.ask"; id: string; method: string } // what became of a call, of before this page was loaded
	| { type: "control.cancel"; id: string }
	| { type: "control.stop" }
	| { type: "control.reset" }
	| { type: "hand"; hand: number; targets: Target[] }; // from the page's input code alone, and only while a hand is there

/** Driving is how it stands with the hand: none is there, it waits for the device to obey, it is obeyed, it has to let go first. */
export type Driving = "no" | "neutral" | "driving" | "tripped";

/** FromControl is what the engine says of control. */
export type FromControl =
	| {
			type: "control.machine";
			machine: Machine | null; // null: there is none, or nobody knows yet
			code: string; // why there is none, or why it cannot be driven from here: on-page
	  }
	| {
			type: "control.lease";
			lease: LeaseInfo;
			heldMs: number /* until it ends if nothing is heard; 0: it is not ours */;
	  }
	| { type: "control.stop"; stop: StopInfo }
	| { type: "control.call"; call: CallInfo }
	| {
			type: "control.parted"; // a device was left while a stop was on its way to it
			device: string; // its name
			answered: boolean | null; // null: not yet; it is said on. false: it was not, and is said no more
	  }
	| {
			type: "control.state"; // a few times a second, and when driving changes
			driving: Driving;
			tickAgeMs: number | null; // how long ago the newest tick came; null: none did
			desired: Target[]; // of the Drive that was sent last
			sent: number; // Drives so far
	  };
