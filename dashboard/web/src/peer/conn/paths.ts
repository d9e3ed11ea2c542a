import type { Carrier } from "../carrier/carrier";
import type { Lane } from "../carrier/channels";
import { isLinkRung } from "../carrier/link-carrier";
import type { Env } from "../env";
import { type Decision, Ladder, REASONS, type Rung, type State } from "../ladder";
import { echoFrame, probeFrame } from "../link/encode";
import { Prober } from "../link/prober";
import { answerProbe, type Echo } from "../wire";

/** A Drive is not put behind more than this, in bytes: what waits cannot be taken back, and the next one, which is newer, follows within 50 ms. */
const DRIVE_BEHIND = 4 * 1024;

/** Path is one carrier of a Conn and what belongs to it alone. */
export interface Path {
	readonly id: number;
	readonly carrier: Carrier;
	readonly prober: Prober;
	readonly since: number;
	rung: Rung;
	proved: boolean; // both ways, at some time
}

/** PathEvents are called from step and echo. */
export interface PathEvents {
	/** in doubt for too long: build a successor beside it. */
	onReplace(id: number): void;
	/** an echo came: the path works both ways. */
	onProved(id: number, echo: Echo): void;
}

/** Paths are a Conn's carriers under its ladder: what is sent goes where the ladder says. */
export class Paths {
	private readonly ladder = new Ladder();
	private readonly all = new Map<number, Path>();
	private decision: Decision;
	private lastId = 0;
	private hesitated = false; // a direct path was late or in doubt when hesitates was called last

	constructor(
		private readonly env: Env,
		private readonly events: PathEvents,
	) {
		this.decision = this.ladder.step(env.now());
	}

	/** up adds a carrier that opened; its id. */
	up(rung: Rung, carrier: Carrier): number {
		const now = this.env.now();
		const id = ++this.lastId;
		this.all.set(id, { id, carrier, prober: new Prober(rung), since: now, rung, proved: false });
		this.ladder.up(now, id, rung);
		return id;
	}

	/** down removes and closes a carrier. */
	down(id: number): void {
		this.all.get(id)?.carrier.close();
		this.all.delete(id);
		this.ladder.down(this.env.now(), id);
	}

	/** rerung corrects the rung of a path. */
	rerung(id: number, rung: Rung): void {
		const path = this.all.get(id);
		if (path === undefined || path.rung === rung) return;
		path.rung = rung;
		this.ladder.rerung(id, rung);
	}

	heard(id: number): void {
		this.ladder.heard(this.env.now(), id);
	}

	/** accepted: the other end's word is a first proof, of unknown round trip. */
	accepted(id: number): void {
		this.ladder.proved(this.env.now(), id, 0);
	}

	/** probed answers the other end's probe, a frame's body, on the path that it came on. */
	probed(id: number, probe: Uint8Array, came: number): void {
		const path = this.all.get(id);
		if (path === undefined) return;
		const echo = answerProbe(probe, came, this.env.wall());
		if (!echo.heard) this.ladder.doubt(this.env.now(), id);
		path.carrier.send("brief", echoFrame(path.carrier.conn, echo));
	}

	echoed(id: number, echo: Echo): void {
		const path = this.all.get(id);
		const rtt = path?.prober.echo(echo, this.env.wall()) ?? null;
		if (path === undefined || rtt === null) return;
		path.proved = true;
		this.ladder.proved(this.env.now(), id, rtt);
		this.events.onProved(id, echo);
	}

	/** step does what is due and says when it wants to be called again. */
	step(): number {
		const now = this.env.now();
		this.decision = this.ladder.step(now);
		for (const id of this.decision.probe) this.probe(id, now);
		for (const id of this.decision.replace) this.events.onReplace(id);
		return this.decision.wake;
	}

	/** send puts a frame on all paths in use, and on one more: the one that what it answers came on. */
	send(lane: Lane, encode: (conn: number) => Uint8Array, also = 0): boolean {
		const on = new Set(this.decision.use);
		if (this.all.has(also)) on.add(also);
		let sent = false;
		for (const id of on) {
			const carrier = this.all.get(id)?.carrier;
			if (carrier?.send(lane, encode(carrier.conn))) sent = true;
		}
		return sent;
	}

	/** sendBest puts a Command on the best path; false: there is none, or it has no room. */
	sendBest(encode: (conn: number) => Uint8Array): boolean {
		const carrier = this.best()?.carrier;
		return carrier?.send("reliable", encode(carrier.conn)) ?? false;
	}

	/** sendEverywhere puts a Command on every path there is, proved or not; false: none took it. */
	sendEverywhere(encode: (conn: number) => Uint8Array): boolean {
		let sent = false;
		for (const { carrier } of this.all.values()) if (carrier.send("reliable", encode(carrier.conn))) sent = true;
		return sent;
	}

	/** sendTwice puts a Drive on the two best proved paths, so that neither is missed when one dies without a word; false: none took it. */
	sendTwice(encode: (conn: number) => Uint8Array): boolean {
		let sent = false;
		for (const id of this.decision.pair) {
			const carrier = this.all.get(id)?.carrier;
			if (carrier === undefined || carrier.queueBytes() > DRIVE_BEHIND) continue;
			if (carrier.send("brief", encode(carrier.conn))) sent = true;
		}
		return sent;
	}

	get(id: number): Path | undefined {
		return this.all.get(id);
	}

	/** best is the first path in use that answers; the first at all if none does. */
	best(): Path | undefined {
		const { use } = this.decision;
		return this.all.get(use.find((id) => !this.ladder.state(id).inDoubt) ?? use[0] ?? 0);
	}

	/** on are the paths of a rung, the newest first. */
	on(rung: Rung): Path[] {
		return [...this.all.values()].filter((path) => path.rung === rung).reverse();
	}

	state(id: number): State {
		return this.ladder.state(id);
	}

	/** works says whether a path is proven and answers. */
	works(id: number): boolean {
		const state = this.ladder.state(id);
		return this.all.has(id) && state.usable && !state.inDoubt;
	}

	/** lost says whether a path has been silent since before a time. */
	lost(id: number, since: number): boolean {
		const state = this.ladder.state(id);
		return this.all.has(id) && state.inDoubt && state.lastHeard < since;
	}

	/** hesitates says whether direct paths are late, or in doubt, and none was when it was called last. */
	hesitates(): boolean {
		const before = this.hesitated;
		this.hesitated = [...this.all.values()].some(({ id, rung }) => {
			const { late, inDoubt } = this.ladder.state(id);
			return !isLinkRung(rung) && (late || inDoubt);
		});
		return this.hesitated && !before;
	}

	/** rtt of the best path in ms; 0: not measured yet. */
	rtt(): number {
		const best = this.best();
		return best === undefined ? 0 : this.ladder.state(best.id).rtt;
	}

	/** reason says why best is the best. What the ladder says is about its own choice, which may be in doubt. */
	reason(): string {
		const { use, reason } = this.decision;
		return use.length > 1 && this.best()?.id !== use[0] ? REASONS.fell : reason;
	}

	queueBytes(): number {
		let sum = 0;
		for (const path of this.all.values()) sum += path.carrier.queueBytes();
		return sum;
	}

	dispose(): void {
		for (const path of this.all.values()) path.carrier.close();
		this.all.clear();
	}

	/** measure probes the best path at once. */
	measure(): void {
		const best = this.best();
		if (best !== undefined) this.probe(best.id, this.env.now());
	}

	private probe(id: number, now: number): void {
		const path = this.all.get(id);
		if (path === undefined) return;
		const probe = path.prober.next(this.env.wall(), this.ladder.heardRecently(now, id));
		path.carrier.send("brief", probeFrame(path.carrier.conn, probe));
		this.ladder.probed(now, id);
	}
}
