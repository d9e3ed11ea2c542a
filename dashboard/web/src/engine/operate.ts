import type { Conn } from "../peer/conn/conn";
import { Alarm, type Env } from "../peer/env";
import { type CallInfo, type Identity, keyFor, mayOperate, Viewer } from "../peer/rpc";
import type { Drive, Target, Tick } from "../peer/wire";
import type { Driving, FromWorker, ToControl } from "../port";

/** What may be asked for where the engine runs on the page: to see, and to stop. */
const ON_PAGE: ReadonlySet<ToControl["type"]> = new Set(["control.identity", "control.stop", "control.ask"]);

export interface OperateOptions {
	env: Env;
	post(message: FromWorker): void;
	/** onPage: the engine is no Worker; then nothing proves that a beat is a hand's. */
	onPage: boolean;
}

/** Operate is control of the device that is open: the viewer's half of it, between the Conn and the page. */
export class Operate {
	private readonly alarm: Alarm;
	/** The page's secret, of which each device is told a key of its own. */
	private secret = "";
	/** id of the device that is open; "": the server has not told. */
	private device = "";
	/** Handed on as it is: another name counts from then on. */
	private readonly identity: Identity = { key: "", name: "" };
	private role = "";
	private viewer: Viewer | null = null;
	private desired: readonly Target[] = [];
	private sent = 0;
	private driving: Driving = "no";
	private quiet = false;

	constructor(private readonly options: OperateOptions) {
		this.alarm = new Alarm(options.env, () => this.settle());
	}

	/** begin is for a Conn that was opened. */
	begin(conn: Conn): void {
		this.end();
		this.viewer = this.make(conn);
	}

	end(): void {
		this.alarm.clear();
		this.viewer = null;
		this.at("");
		this.desired = [];
		this.sent = 0;
		this.driving = "no";
	}

	/** leave makes another one, for what is opened next. This one goes on with what it has begun, and tells the page nothing more. */
	leave(): Operate {
		this.quiet = true;
		const next = new Operate(this.options);
		next.as(this.role);
		next.be(this.secret, this.identity.name);
		return next;
	}

	/** stopping: a stop is on its way to the device, which has not answered it. */
	get stopping(): boolean {
		return this.viewer?.stopping === true;
	}

	/** as: the server has said what this page may do. */
	as(role: string): void {
		this.role = role;
	}

	/** at: the server has said which device is open. */
	at(device: string): void {
		this.device = device;
		this.identity.key = device === "" ? "" : keyFor(this.secret, device);
	}

	// What the Conn tells.

	joined(): void {
		if (mayOperate(this.role)) this.viewer?.accepted(this.now());
		this.settle();
	}

	tick(tick: Tick): void {
		this.viewer?.tick(this.now(), tick);
		this.settle();
	}

	outcome(body: Uint8Array): void {
		this.viewer?.outcome(this.now(), body);
		this.settle();
	}

	/** handle does what the page says. */
	handle(message: ToControl): void {
		if (message.type === "control.identity") this.be(message.key, message.name);
		else if (this.viewer !== null && (!this.options.onPage || ON_PAGE.has(message.type))) this.do(this.viewer, message);
		this.settle();
	}

	private be(secret: string, name: string): void {
		this.secret = secret;
		this.identity.name = name;
		this.at(this.device);
	}

	/** look does what has become due, a path being there now for instance, and tells the page how it stands; to be called a few times a second. */
	look(): void {
		this.settle();
		this.tell();
	}

	private tell(): void {
		const { viewer } = this;
		if (viewer === null || viewer.machine === null) return;
		const age = viewer.ticks.age(this.now());
		const tickAgeMs = age === Infinity ? null : age;
		const { driving, sent } = this;
		this.post({ type: "control.state", driving, tickAgeMs, desired: [...this.desired], sent });
	}

	private do(viewer: Viewer, message: Exclude<ToControl, { type: "control.identity" }>): void {
		const now = this.now();
		switch (message.type) {
			case "hand":
				viewer.hand(now, message.hand, message.targets);
				break;
			case "control.again":
				viewer.again(now);
				break;
			case "control.lease":
				viewer.leaseDo(now, message.do, message.to);
				break;
			case "control.call": {
				const { id, method, params, waitMs, lease } = message;
				viewer.call(now, { id, method, params }, waitMs, lease);
				break;
			}
			case "control.ask":
				viewer.ask(now, message.id, message.method);
				break;
			case "control.cancel":
				viewer.cancel(now, message.id);
				break;
			case "control.stop":
				viewer.stop(now);
				break;
			case "control.reset":
				viewer.reset(now);
				break;
		}
	}

	private make(conn: Conn): Viewer {
		const { env, onPage } = this.options;
		const post = (message: FromWorker) => this.post(message);
		return new Viewer({
			uuid: () => env.uuid(),
			// Above those of an earlier life of this page: it sends fewer than one a millisecond.
			first: Math.floor(env.wall() / 1000),
			identity: this.identity,
			path: () => conn.reachable,
			rtt: () => conn.rtt,
			send: (body, everywhere) => conn.command(body, everywhere),
			drive: (drive) => this.drive(conn, drive),
			events: {
				onMachine: (machine, code) =>
					post({ type: "control.machine", machine, code: onPage && code === "" ? "on-page" : code }),
				onLease: (lease, heldMs) => post({ type: "control.lease", lease: structuredClone(lease), heldMs }),
				onStop: (stop) => post({ type: "control.stop", stop: { ...stop } }),
				onCall: (call: CallInfo) => post({ type: "control.call", call: { ...call } }),
			},
		});
	}

	private post(message: FromWorker): void {
		if (!this.quiet) this.options.post(message);
	}

	private drive(conn: Conn, drive: Drive): void {
		conn.drive(drive);
		this.desired = drive.setpoints;
		this.sent++;
	}

	/** settle does what is due. */
	private settle(): void {
		const { viewer } = this;
		if (viewer === null) return;
		const now = this.now();
		viewer.step(now);
		const driving = viewer.driving(now);
		if (driving !== this.driving) {
			this.driving = driving;
			this.tell();
		}
		this.alarm.set(viewer.wake(now));
	}

	private now(): number {
		return this.options.env.now();
	}
}
