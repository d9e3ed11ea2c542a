// The words of Command and Outcome frames (docs/protocol.md, section 10.1),
// with their members as this side names them.

/** Do is what may be done with the lease (section 10.3). */
export type Do = "take" | "request" | "renew" | "release" | "give" | "deny" | "takeover";

/** Deadline says until when a command may be obeyed: by this tick (µs) of this run of the device's program. */
export interface Deadline {
	epoch: number;
	by: number;
}

/** Command is what a viewer says, with its members as JSON has them. */
export type Command =
	| { type: "operate"; on: boolean }
	| ({ type: "call"; id: string; method: string; params?: unknown; fence?: number } & Deadline)
	| { type: "cancel"; id: string }
	| { type: "ask"; id: string }
	| { type: "seen"; id: string }
	| ({ type: "lease"; id: string; do: Do; key: string; name: string; to?: string } & Deadline)
	| { type: "stop"; id: string; name: string }
	| ({ type: "reset"; id: string; name: string; at?: number } & Deadline);

/** mayOperate says whether a token's role may command at all. */
export function mayOperate(role: string): boolean {
	return role === "operator" || role === "admin";
}

/** STATES of a call (section 10.2). */
export const STATES = ["received", "running", "done", "failed", "rejected", "expired", "unknown"] as const;

/** State is how far a call is. */
export type State = (typeof STATES)[number];

/** Progress is how far a call is as its viewer knows: waiting was not sent, for want of a tick or of a path; sent was not answered. */
export type Progress = State | "waiting" | "sent";

const OPEN: ReadonlySet<Progress> = new Set<Progress>(["waiting", "sent", "received", "running"]);

/** ended says whether nothing comes behind a state. */
export function ended(state: Progress): boolean {
	return !OPEN.has(state);
}

/** Operator is who has a lease or wants it, as all may see. */
export interface Operator {
	id: string; // 16 hex digits, made of the key
	name: string;
	role: string;
}

/**
 * Outcome is what a device answers. id "": told unasked; code and reason: of a
 * refusal, for people; epoch and at: the device's tick at which it was so, of
 * all but call, since they may overtake one another; 0: not said.
 */
export type Outcome = { id: string; code: string; reason: string; epoch: number; at: number } & (
	| { type: "call"; state: State | null; progress: number | null; result: unknown; tookUs: number }
	| { type: "lease"; fence: number; holder: Operator | null; mine: boolean; ttlMs: number; asks: Operator[] }
	| { type: "stop"; stopped: boolean; by: string; since: number /* µs, the device's wall clock */; tookUs: number }
	| { type: "machine"; description: Description | null /* none, and no code: as it was */; moving: boolean }
);

/** Description is what can be done with a device. */
export interface Description {
	name: string;
	methods: Method[];
	axes: Axis[];
	deadmanMs: number; // without a valid heartbeat for so long the actuators are made safe
	ageMs: number; // a heartbeat whose tick is older is none
	simulated: boolean;
}

/** Machine is what can be done with a device, and in which state it is. */
export interface Machine extends Description {
	moving: boolean; // setpoints are obeyed now; false: the actuators are safe
}

/** Method is what may be called. */
export interface Method {
	name: string;
	label: string; // "": none
	help: string;
	params: unknown; // JSON Schema of the parameters, an object; undefined: there are none
	role: string; // at least
	lease: boolean; // only for who holds it
	danger: boolean; // its name is to be typed first
	limitMs: number; // 0: not said
}

/** Axis is what a setpoint moves. */
export interface Axis {
	id: number; // 1 … MAX_AXES
	name: string;
	label: string; // "": none
	unit: string;
	min: number;
	max: number;
	slew: number; // units a second at most; 0: any
	neutral: number; // where it is safe
	stream: string; // its applied value is published there; "": nowhere
}
