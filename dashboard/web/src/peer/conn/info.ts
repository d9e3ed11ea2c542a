import { isLinkRung, type LinkRung } from "../carrier/link-carrier";
import { type Failure, failure } from "../failures";
import { height, mayUse, RUNGS, type Rung, type State } from "../ladder";
import type { LinkStanding } from "../link/standing";
import { FAILURES, NAMES, NO_TURN, NOT_NEEDED, note, OVER_TCP, reasons, WHY_OFF } from "../words";
import type { Direct } from "./direct";
import { type Kind, kindOfRung, turnRung } from "./kind";
import type { PathInfo, RungInfo } from "./path-info";
import type { Path, Paths } from "./paths";
import type { Standing } from "./standing";

/** Silence that a note calls silence, in ms: less is between two probes. */
const SILENCE = 600;

/** Two ends that can talk over UDP have found each other by now, in ms: from here on it is suspected. */
const SUSPECT = 3_000;

/** Situation is what a Conn's parts know. */
export interface Situation {
	paths: Paths;
	direct: Direct;
	standing: Standing;
	linked: boolean;
	only: readonly Rung[]; // none: all
	rungStanding(rung: LinkRung): LinkStanding;
}

export interface Measures {
	loss: number | null; // percent
	bytes: number | null; // per sample
	offset: { offset: number; error: number } | null; // µs
}

/** pathInfo puts into words what is used, and why nothing better is. */
export function pathInfo(now: number, s: Situation, m: Measures): PathInfo {
	const best = s.paths.best();
	const state = best === undefined ? null : s.paths.state(best.id);
	const measured = state !== null && state.rtt > 0;
	const pair = best === undefined ? null : s.direct.pair(best.id);
	const rungs = RUNGS.map((rung) => rungInfo(now, rung, s));
	return {
		rung: best?.rung ?? null,
		reason: [best === undefined ? whyNone(s) : s.paths.reason(), ...whyNotBetter(best?.rung, rungs, s)].join("; "),
		rungs,
		rttMs: measured ? state.rtt : null,
		rttLeastMs: measured ? state.least : null,
		rttVarMs: measured ? state.variation : null,
		lossPercent: m.loss,
		ageMs: null,
		ageErrMs: null,
		offsetMs: m.offset === null ? null : m.offset.offset / 1000,
		offsetErrMs: m.offset === null ? null : m.offset.error / 1000,
		queueBytes: s.paths.queueBytes(),
		silentMs: state === null ? null : silence(now, state),
		...(pair === null ? {} : { pair }),
		bytesPerSample: m.bytes,
		accepted: s.standing.opening.accepted,
	};
}

/** silence is for how long a path in use has been silent, where that is worth a word. */
function silence(now: number, { inDoubt, lastHeard }: State): number | null {
	const age = now - lastHeard;
	return inDoubt && age > SILENCE ? age : null;
}

function whyNone({ linked, standing: { refused, device } }: Situation): string {
	if (refused !== null) return reasons.refused;
	if (!linked) return device === null ? reasons.connecting : reasons.noLink;
	return device?.state === "offline" ? reasons.offline : reasons.opening;
}

function rungInfo(now: number, rung: Rung, s: Situation): RungInfo {
	const path = s.paths.on(rung)[0];
	const kind = kindOfRung(rung);
	const successor = kind !== null && s.direct.attempts(kind).making() !== undefined;
	if (path !== undefined) {
		const told = pathLine(now, path, s.paths.state(path.id), successor);
		return isLinkRung(rung) ? { ...told, ...concern(s.rungStanding(rung)) } : told;
	}
	if (!mayUse(rung, s.only)) return line(rung, "off", s.only.length > 0 ? note.excluded : whyUnasked(rung, s));
	if (kind === "turned") return turnLine(now, rung, s);
	if (rung === "tcp" && (!s.direct.listens || s.direct.works("direct"))) {
		return line(rung, "off", s.direct.listens ? NOT_NEEDED : WHY_OFF.tcp);
	}
	if (kind === "direct") return attemptLine(now, rung, kind, s);
	if (isLinkRung(rung)) return linkLine(rung, s.rungStanding(rung), s);
	return line(rung, "off", WHY_OFF[rung]);
}

/** whyUnasked is why a rung is off that nobody has asked for. */
function whyUnasked(rung: Rung, { direct }: Situation): string {
	return rung === "tcp" && direct.listens ? OVER_TCP : WHY_OFF[rung];
}

/** concern is what is wrong with a rung of the link that carries it. */
function concern({ state, failure: verdict }: LinkStanding): { verdict?: Failure } {
	return state === "use" && verdict !== null ? { verdict } : {};
}

/** whyNotBetter names what failed above the rung in use, and what is wrong with it: that is what somebody can do something about. */
function whyNotBetter(rung: Rung | undefined, rungs: RungInfo[], { standing }: Situation): string[] {
	if (rung === undefined || rung === "udp") return [];
	const relayed = standing.relayed ? [FAILURES.relayed] : [];
	const failed = new Map<string, string>(); // by what is wrong: that of TURN is the same for all its rungs
	for (const { rung: other, verdict } of rungs) {
		if (verdict === undefined || height(other) > height(rung)) continue;
		const key = kindOfRung(other) === "turned" ? verdict.name : other;
		if (!failed.has(key)) failed.set(key, `${NAMES[other]}: ${verdict.reason} (${verdict.name})`);
	}
	return [...relayed, ...failed.values()];
}

/** pathLine is about a rung that has a carrier. */
function pathLine(now: number, path: Path, state: State, successor: boolean): RungInfo {
	const rtt = state.rtt > 0 ? state.rtt : null;
	const age = now - state.lastHeard;
	const using = state.inUse ? "use" : "warm";
	if (!state.usable && path.proved) {
		const verdict = path.rung === "udp" ? verdictOf(FAILURES.silent) : {};
		return { ...line(path.rung, "failed", note.dead(path.rung, age, successor), rtt), ...verdict };
	}
	if (!state.usable) return line(path.rung, "trying", note.unproven(now - path.since), rtt);
	if (state.inDoubt) {
		const words = age > SILENCE ? note.silent(path.rung, age) : note.unheard(age);
		return line(path.rung, state.inUse ? "use" : "failed", words, rtt);
	}
	return line(path.rung, using, state.inUse ? note.proven(age) : note.warm(age), rtt);
}

/** turnLine is about a rung through TURN while there is no connection on it. */
function turnLine(now: number, rung: Rung, s: Situation): RungInfo {
	const { direct, standing } = s;
	if (standing.relayed) return line(rung, "off", FAILURES.relayed);
	if (direct.servers.length === 0) return line(rung, "off", NO_TURN.noServer);
	const offered = direct.servers.some(({ urls }) => urls.some((url) => turnRung(url) === rung));
	if (!offered) return line(rung, "off", NO_TURN.noURL);
	if (standing.opening.accepted && !standing.turned) return line(rung, "off", NO_TURN.device);
	// What stands or is made on another of these rungs is what this one would be for.
	if (direct.works("direct") || direct.works("turned")) return line(rung, "off", WHY_OFF[rung]);
	return attemptLine(now, rung, "turned", s);
}

/** attemptLine is about a rung of a kind of which there is no connection. */
function attemptLine(now: number, rung: Rung, kind: Kind, { direct, linked, standing }: Situation): RungInfo {
	if (standing.relayed) return line(rung, "off", FAILURES.relayed);
	const attempts = direct.attempts(kind);
	const making = attempts.making();
	if (making !== undefined) {
		const age = now - making.since;
		const reason = kind === "direct" && age >= SUSPECT ? FAILURES.timeout : attempts.reason; // of last time
		return { ...line(rung, "trying", note.connecting(age, attempts.reason)), ...(linked ? verdictOf(reason) : {}) };
	}
	if (attempts.reason === "") return line(rung, "off", WHY_OFF[rung]);
	const words = linked ? note.failed(attempts.reason, attempts.nextAt() - now) : note.pausedNoLink(attempts.reason);
	return { ...line(rung, "failed", words), ...verdictOf(attempts.reason) };
}

/** verdictOf names a failure: only where nothing got through, UDP itself is what is suspected. */
function verdictOf(reason: string): { verdict?: Failure } {
	if (reason === FAILURES.turnUnreachable) return { verdict: failure("turn-unreachable") };
	if (reason === FAILURES.tcp) return { verdict: failure("tcp-blocked") };
	if (reason === FAILURES.turnNoPath) return { verdict: failure("turn-no-path") };
	const blocked = reason === FAILURES.timeout || reason === FAILURES.ice || reason === FAILURES.silent;
	return blocked ? { verdict: failure("udp-blocked") } : {};
}

/** linkLine is about a rung of the link while the device is not reached through it. */
function linkLine(rung: LinkRung, standing: LinkStanding, s: Situation): RungInfo {
	const { state, failure: verdict } = standing;
	if (state === "use") return { ...relayLine(rung, s), ...concern(standing) };
	if (verdict !== null) {
		const trying = state === "trying";
		return {
			...line(rung, trying ? "trying" : "failed", trying ? note.again(verdict.reason) : verdict.reason),
			verdict,
		};
	}
	if (state === "trying") return line(rung, "trying", reasons.connecting);
	return rung === "ws" && !s.linked ? relayLine(rung, s) : line(rung, "off", WHY_OFF[rung]);
}

/** relayLine is about the rung that the link is on, or will be. */
function relayLine(rung: LinkRung, { linked, standing: { device } }: Situation): RungInfo {
	if (!linked && device === null) return line(rung, "trying", reasons.connecting);
	if (!linked) return line(rung, "failed", note.noLink);
	if (device?.state === "offline") return line(rung, "failed", note.deviceAway);
	return line(rung, "trying", note.opening);
}

function line(rung: Rung, state: RungInfo["state"], words: string, rttMs: number | null = null): RungInfo {
	return { rung, state, note: words, rttMs };
}
