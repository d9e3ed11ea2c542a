import type { Axis, CallInfo, FromWorker, LeaseInfo, Machine, Method, Operator, StopInfo } from "../src/port";

/** MachineScene is how a made-up machine stands with who looks at it. */
export type MachineScene = "free" | "mine" | "held" | "stopped" | "on-page";

const ADA: Operator = { id: "0123456789abcdef", name: "Ada", role: "operator" };
const BOB: Operator = { id: "fedcba9876543210", name: "Bob at the bench", role: "operator" };

const axis = (id: number, name: string, label: string, unit: string, max: number): Axis => ({
	id,
	name,
	label,
	unit,
	min: -max,
	max,
	slew: 0,
	neutral: 0,
	stream: name.replace("-", "/"),
});

function method(name: string, label: string, help: string, change: Partial<Method> = {}): Method {
	return { name, label, help, params: undefined, role: "", lease: false, danger: false, limitMs: 0, ...change };
}

const object = (properties: object, required: string[] = []) => ({ type: "object", properties, required });

const ROVER: Machine = {
	name: "rover",
	axes: [axis(1, "rover-speed", "Speed", "m/s", 1), axis(2, "rover-turn", "Turn, left positive", "rad/s", 2)],
	methods: [
		method("honk", "Honk", "The rover's horn.", {
			params: object({
				times: { type: "integer", title: "How often", minimum: 1, maximum: 5, default: 1 },
				loud: { type: "boolean", title: "Loud" },
			}),
		}),
		method("go-to", "Go to a place", "Drives there by itself, and stops.", {
			lease: true,
			params: object(
				{
					place: object({ x: { type: "number", title: "x in m" }, y: { type: "number", title: "y in m" } }, ["x", "y"]),
					gait: { enum: ["slow", "fast"], title: "How", default: "slow" },
					points: { type: "array", title: "By way of", items: { type: "number" }, maxItems: 4 },
				},
				["place", "gait"],
			),
		}),
		method("flash", "Write the firmware", "The machine is deaf while it does.", { danger: true, lease: true }),
		method("calibrate", "Calibrate", "For admins.", { role: "admin" }),
	],
	deadmanMs: 300,
	ageMs: 500,
	moving: false,
	simulated: true,
};

const NOBODY: LeaseInfo = { holder: null, mine: false, asks: [], asking: false, code: "", reason: "", lost: false };
const LEASES: Record<MachineScene, LeaseInfo> = {
	free: NOBODY,
	mine: { ...NOBODY, holder: ADA, mine: true, asks: [BOB] },
	held: { ...NOBODY, holder: BOB },
	stopped: { ...NOBODY, holder: ADA, mine: true },
	"on-page": NOBODY,
};

function stop(stopped: boolean): StopInfo {
	const by = stopped ? BOB.name : "";
	const since = stopped ? (Date.now() - 9_000) * 1_000 : 0;
	return { stopped, by, since, tookUs: stopped ? 1_840 : 0, sending: null, rttMs: null, code: "", reason: "" };
}

function call(method: string, change: Partial<CallInfo>): FromWorker {
	const base: CallInfo = {
		id: `${method} ${change.state}`,
		method,
		state: "sent",
		progress: null,
		result: undefined,
		code: "",
		reason: "",
		tookUs: 0,
		rttMs: 3.4,
		cancelling: false,
	};
	return { type: "control.call", call: { ...base, ...change } };
}

/** operated is what the engine says of one. */
export function operated(how: MachineScene): FromWorker[] {
	const mine = how === "mine";
	const calls = [
		call("honk", { state: "done", result: { sound: "honk" }, tookUs: 210_000 }),
		call("flash", { state: "rejected", code: "no-lease", reason: "who asks does not hold the lease" }),
		call("go-to", { state: "unknown", reason: "the device was restarted while it ran" }),
		call("go-to", { state: "running", progress: 0.42 }),
	];
	return [
		{ type: "control.machine", machine: { ...ROVER, moving: mine }, code: how === "on-page" ? "on-page" : "" },
		{ type: "control.lease", lease: LEASES[how], heldMs: LEASES[how].mine ? 5_000 : 0 },
		{ type: "control.stop", stop: stop(how === "stopped") },
		...(how === "mine" || how === "held" ? calls : []),
		{ type: "control.state", driving: "no", tickAgeMs: 24, desired: [], sent: 0 },
	];
}
