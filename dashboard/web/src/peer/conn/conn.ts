import { isLinkRung } from "../carrier/link-carrier";
import { Alarm } from "../env";
import { mayUse, type Rung } from "../ladder";
import { ackFrame, commandFrame, driveFrame } from "../link/encode";
import { type EpochSeq, type FromViewer, parse as parseSignal } from "../signal";
import {
	type Drive,
	type DropReason,
	eachFrame,
	FormatError,
	type Frame,
	MAX_COMMAND,
	parseData,
	parseEcho,
	parseGap,
	parseTick,
	TYPE_DATA,
	TYPE_ECHO,
	TYPE_GAP,
	TYPE_OUTCOME,
	TYPE_PROBE,
	TYPE_SIGNAL,
	TYPE_TICK,
} from "../wire";
import { DeviceTime } from "./device-time";
import { Direct } from "./direct";
import { type Measures, pathInfo } from "./info";
import { kindOfRung } from "./kind";
import { Meter } from "./meter";
import type { ConnLink, ConnOptions } from "./options";
import { Past } from "./past";
import type { PathInfo } from "./path-info";
import { Paths } from "./paths";
import { Relay } from "./relay";
import { Signaling } from "./signaling";
import { Standing } from "./standing";
import { Streams } from "./streams";
import { Tails } from "./tails";

/** How far back the device's spool is asked for, in ms. */
const PAST = 30 * 60_000;

/** The link carries for so long after news came on it, in ms: less than it takes until it is to be a better one. */
const RELAYED_LATELY = 1_000;

/**
 * Conn is this viewer's relation to one device. It outlives links and paths:
 * those come and go under it, and what it delivers goes on.
 *
 * The parts decide (Signaling, Paths, Direct, Streams); the Conn tells them what
 * came, and settles afterwards what is due.
 */
export class Conn {
	readonly id: string;
	private readonly standing = new Standing();
	private readonly streams: Streams;
	private readonly past: Past;
	private readonly tails = new Tails();
	private readonly paths: Paths;
	private readonly relay: Relay;
	private readonly direct: Direct;
	private readonly signaling: Signaling;
	private readonly meter = new Meter();
	private readonly alarm: Alarm;
	private readonly time: DeviceTime;
	private rung: Rung | null = null; // of the best path, as it was told last
	private newsAt = -Infinity; // when news came on the link last
	private arriving: Rung | null = null; // the rung of the frame that is being taken
	private readonly drops: Partial<Record<DropReason, number>> = {};

	constructor(private readonly options: ConnOptions) {
		const { env, events } = options;
		this.id = env.uuid();
		this.alarm = new Alarm(env, () => this.settle());
		this.streams = new Streams(
			{
				onBatch: (batch) => {
					const { stream, header, take, late, retainedMs } = batch;
					if (header.class === "live" && !late && retainedMs === null)
						this.past.live(env.now(), stream.name, header, take);
					events.onBatch(batch, this.arriving);
				},
				onGap: (...gap) => events.onGap(...gap),
				onStart: (...start) => events.onStart(...start),
				onFinal: (...final) => events.onFinal(...final),
				onDrop: (reason) => this.dropped(reason),
				onUnknown: () => this.signaling.askUnknown(),
			},
			this.tails,
			options.resumes,
		);
		this.past = new Past(PAST, env.random, this.tails, {
			onBatch: (batch) => events.onPast(batch),
			onTail: ({ stream, header, payload }, skip) => this.streams.tail(env.now(), stream, header, payload, skip),
			onGap: (stream, gap) => this.streams.tailGap(env.now(), stream, gap),
			hasPassed: (stream, at) => this.streams.hasPassed(stream, at),
			onTailsDone: (names) => this.settleTails(names),
			onDone: () => events.onPastDone(),
			room: () => events.roomForPast(),
			onDrop: (reason) => this.dropped(reason),
			ask: (message) => this.standing.opening.accepted && (this.relay.link?.signal(message) ?? false),
			streams: () => this.streams.list(),
		});
		this.paths = new Paths(env, {
			onReplace: (path) => this.direct.replace(path),
			onProved: (path, echo) => {
				this.time.echoed(echo);
				this.direct.proved(path);
			},
		});
		this.time = new DeviceTime({ env, newestTime: options.newestTime, measure: () => this.paths.measure() });
		this.relay = new Relay(this.paths, options.only ?? []);
		this.direct = new Direct({
			env,
			paths: this.paths,
			assistant: options.assistant,
			may: (rung) => mayUse(rung, options.only ?? []),
			signal: (message) => this.relay.link?.signal(message),
			onStale: () => this.standing.opening.again(env.now()),
			onPacket: (path, packet) => this.packet(path, packet),
			onChange: () => this.settle(),
		});
		const { standing, streams, past, tails, paths, relay, direct } = this;
		this.signaling = new Signaling(this.id, options, { standing, streams, past, tails, paths, relay, direct });
		this.settle();
	}

	/** page is for what the page's assistant says. */
	get page(): Direct {
		return this.direct;
	}

	/** forgetResumes: the device is not the one that was resumed. */
	forgetResumes(): void {
		this.streams.forgetResumes();
	}

	/** openForRequest is the signal that opens this Conn, for the link's first request. */
	openForRequest(): FromViewer {
		return this.signaling.openForRequest();
	}

	/** linkUp: the server welcomed us; asked: the link's first request carried this Conn's open. */
	linkUp(link: ConnLink, asked: boolean): void {
		this.relay.up(link);
		this.signaling.linkUp(asked);
		this.settle();
	}

	linkDown(): void {
		this.signaling.linkDown();
		this.settle();
	}

	/** linkFrame takes a frame with this Conn's number from the link; left: from the line that was left for it, whose signals come here, too. */
	linkFrame(frame: Frame, left = false): void {
		// Without a rung of the relay only what is said for the direct path counts.
		if (frame.type !== TYPE_SIGNAL && !this.relay.may(left)) return;
		if (!left) this.take(this.relay.path, frame);
		else if (frame.type !== TYPE_SIGNAL) this.take(this.relay.leftPath, frame);
	}

	/** settle does what is due; to be called after anything happened. */
	settle(): void {
		const now = this.options.env.now();
		if (this.standing.opening.due(now)) this.signaling.ask();
		this.streams.settle(now);
		// While the device cannot be asked nothing of what it has is given up.
		if (this.standing.opening.accepted && now >= this.tails.wake()) this.settleTails();
		this.direct.allow(
			"direct",
			this.may((rung) => kindOfRung(rung) === "direct") && this.standing.hopeful(this.relay.link !== null),
		);
		this.direct.allow("turned", this.standing.opening.accepted && this.standing.turned && !this.standing.relayed);
		this.relay.step();
		// The paths come between: what ends an attempt ends its path, what a path lacks begins an attempt.
		const wakes = [this.paths.step(), this.direct.step()];
		if (this.paths.hesitates()) this.options.onSuspect();
		this.signaling.tellJoined();
		const { accepted } = this.standing.opening;
		if (accepted) this.past.step(now);
		this.acknowledge(now);
		this.tellRung();
		this.alarm.set(
			Math.min(
				...wakes,
				this.streams.wake(),
				this.past.wake(accepted),
				accepted ? this.tails.wake() : Infinity,
				this.standing.opening.wake(),
			),
		);
	}

	/** wantPast asks for what the device kept of a stream, behind a sample; null: as far back as it goes. */
	wantPast(name: string, behind: EpochSeq | null): void {
		this.past.want(name, behind);
		this.settle();
	}

	/** command sends a Command's JSON on the best path, or on every path there is. Who says it says it again until it is answered. */
	command(body: Uint8Array, everywhere: boolean): void {
		const encode = (conn: number) => commandFrame(conn, body);
		if (!(everywhere ? this.paths.sendEverywhere(encode) : this.paths.sendBest(encode))) this.dropped("no-path");
	}

	/** drive sends a Drive on the two best proved paths. */
	drive(drive: Drive): void {
		if (!this.paths.sendTwice((conn) => driveFrame(conn, drive))) this.dropped("no-path");
	}

	/** reachable says whether there is a path to the device. */
	get reachable(): boolean {
		return this.paths.best() !== undefined;
	}

	/** rtt of the best path in ms; 0: not measured yet. */
	get rtt(): number {
		return this.paths.rtt();
	}

	/** needsLink: the link carries, because no better path leads to the device, or none that the device prefers, whose own link may be a better one. */
	get needsLink(): boolean {
		const { device } = this.standing;
		if (device === null || device.state === "offline") return false;
		const best = this.paths.best();
		const lately = this.options.env.now() < this.newsAt + RELAYED_LATELY;
		return best === undefined || isLinkRung(best.rung) || lately;
	}

	/** nudge: somebody looks again, or the network has changed. A direct path is then tried at once, beside one that stands. */
	nudge(changed: boolean): void {
		this.direct.nudge(changed);
		this.settle();
	}

	/** rebased: this end's clock was set; what was measured by it is void. */
	rebased(): void {
		this.time.rebased();
	}

	/** offset of the device's clock in µs, with its error; null: not known yet. */
	offset(): { offset: number; error: number } | null {
		return this.time.offset();
	}

	/** path says how the Conn is, for people. To be called a few times a second. */
	path(): PathInfo {
		const now = this.options.env.now();
		this.meter.measure(now, this.streams.counts());
		const measures: Measures = {
			loss: this.meter.lossPercent(now),
			bytes: this.meter.bytesPerSample(now),
			offset: this.offset(),
		};
		const { paths, direct, standing } = this;
		const { only = [], standing: rungStanding } = this.options;
		const situation = { paths, direct, standing, linked: this.relay.link !== null, only, rungStanding };
		return { ...pathInfo(now, situation, measures), drops: { ...this.drops } };
	}

	/** dispose ends the Conn; the device is told. */
	dispose(): void {
		this.alarm.clear();
		this.relay.link?.signal({ type: "close" });
		this.direct.dispose();
		this.paths.dispose();
		this.relay.link = null;
	}

	/**
	 * askAgain: an open that waited on a line that was left may have come after
	 * the one on the line that there is, and have bound the device to what is over.
	 */
	askAgain(): void {
		this.standing.opening.restart(this.options.env.now());
		this.settle();
	}

	private tellRung(): void {
		const rung = this.paths.best()?.rung ?? null;
		if (rung === this.rung) return;
		this.rung = rung;
		this.options.events.onRung();
	}

	private packet(path: number, packet: Uint8Array): void {
		eachFrame(
			packet,
			(frame) => this.take(path, frame, true),
			() => this.dropped("malformed"),
		);
		this.settle();
	}

	/** take handles a frame; one that cannot be read is counted and harms nothing else. */
	private take(path: number, frame: Frame, direct = false): void {
		try {
			this.frame(path, frame, direct);
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			this.dropped("malformed");
		}
	}

	private frame(path: number, frame: Frame, direct: boolean): void {
		const { env } = this.options;
		// A retained value or a signal on the link may be the server's own: it says nothing about the device.
		if (!frame.hop.retained && frame.type !== TYPE_SIGNAL) this.paths.heard(path);
		switch (frame.type) {
			case TYPE_DATA:
				this.data(path, frame, direct);
				break;
			case TYPE_GAP:
				if (this.streams.gap(env.now(), parseGap(frame.body))) this.past.cutOff();
				break;
			case TYPE_PROBE:
				this.paths.probed(path, frame.body, env.wall());
				break;
			case TYPE_ECHO:
				this.paths.echoed(path, parseEcho(frame.body));
				break;
			case TYPE_TICK:
				this.options.events.onTick(parseTick(frame.body));
				break;
			case TYPE_OUTCOME:
				this.outcome(frame.body);
				break;
			case TYPE_SIGNAL:
				this.signaling.hear(path, parseSignal(frame.body), direct);
				break;
		}
	}

	private outcome(body: Uint8Array): void {
		if (body.length > MAX_COMMAND) this.dropped("limit");
		else this.options.events.onOutcome(body);
	}

	private data(path: number, frame: Frame, direct: boolean): void {
		const { header, payload } = parseData(frame.body);
		const now = this.options.env.now();
		this.meter.received(now, frame.body.length);
		if (header.class === "history") {
			this.past.data(now, path, header, payload);
			return;
		}
		const rung = this.paths.get(path)?.rung ?? null;
		this.arriving = rung;
		const isLive = !frame.hop.retained && !header.will;
		const ageMs = isLive ? this.time.age(header, payload) : -1;
		const news = this.streams.data(header, payload, { now, hop: frame.hop, ageMs, path });
		this.arriving = null;
		if (news && !direct) this.newsAt = now;
		if (!news && isLive && rung !== null) this.options.events.onCopy(header, rung);
	}

	/** settleTails: what was not taken while a new run waited is asked for again. */
	private settleTails(names?: ReadonlySet<string>): void {
		if (this.streams.settleTails(this.options.env.now(), names)) this.standing.opening.restart(this.options.env.now());
	}

	/** may says whether any rung of a kind may be used. */
	private may(kind: (rung: Rung) => boolean): boolean {
		const { only = [] } = this.options;
		return only.length === 0 || only.some(kind);
	}

	/** acknowledge sends what is due on the paths in use, and where the data came from. */
	private acknowledge(now: number): void {
		for (const [path, positions] of this.streams.acks(now)) {
			this.paths.send("brief", (conn) => ackFrame(conn, positions), path);
		}
		const past = this.past.ack(now);
		if (past !== null) this.paths.send("brief", (conn) => ackFrame(conn, [past.position]), past.path);
	}

	private dropped(reason: DropReason): void {
		this.drops[reason] = (this.drops[reason] ?? 0) + 1;
	}
}
