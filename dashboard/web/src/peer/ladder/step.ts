import type { Carrier } from "./carrier";
import type { Ladder } from "./ladder";
import { REASONS, type Reason } from "./reason";

// One step of the ladder, in the order in which things are decided. Moments are
// compared as `now >= since + time`, never as a difference: with fractions of a
// millisecond only the sum is what wake said.

/** Decision is what to do now. */
export interface Decision {
	use: readonly number[]; // send on all of these, best rung first; empty: no path
	pair: readonly number[]; // two that are proved, of two rungs if there are, also while one is enough for use: for what may not fail with one path
	probe: readonly number[]; // probes due now: send them, then call probed
	replace: readonly number[]; // in doubt, or unproven, for too long: build a successor beside it. Repeated as long as it is so
	wake: number; // call step again at the latest then; NEVER: not without an event
	reason: Reason; // why use is what it is
}

export function step(l: Ladder, now: number): Decision {
	notice(l, now);
	bury(l, now);
	choose(l, now);
	const beside = besideOf(l);
	const used = use(l, now, beside);
	const probe = l.carriers.filter((c) => !l.unwatched && now >= c.probeAt(now, l.cfg));
	const replace = l.carriers.filter((c) => !l.unwatched && overdue(l, now, c) && !succeeded(l, c));
	return {
		use: used.map(idOf),
		pair: pair(l, used).map(idOf),
		probe: probe.map(idOf),
		replace: replace.map(idOf),
		wake: wake(l, now, probe),
		reason: reason(l, now, beside),
	};
}

const idOf = (c: Carrier) => c.id;

/** notice puts in doubt what was silent for too long. */
function notice(l: Ladder, now: number): void {
	for (const c of l.carriers) {
		if (!l.unwatched && c.mayBeLate() && now >= c.lateAt(l.cfg)) c.late = true;
		if (!l.unwatched && c.usable && !c.silent && now >= c.doubtAt(l.cfg)) c.missed(now);
	}
}

/** overdue reports whether a carrier was not sound for too long. */
function overdue(l: Ladder, now: number, c: Carrier): boolean {
	return !c.isSound() && now >= c.trouble + l.cfg.replaceAfter;
}

/** bury declares dead what is in doubt for too long, if another carrier is sound: otherwise it is still the best there is. */
function bury(l: Ladder, now: number): void {
	if (!l.carriers.some((c) => c.isSound())) return;
	for (const c of l.carriers) {
		if (!c.usable || !overdue(l, now, c)) continue;
		l.lose(now, c);
		c.usable = false;
	}
}

/**
 * choose takes the best usable carrier if there is no chosen one, or the best
 * one on a better rung, or that succeeds it on its own, whose trial is over.
 */
function choose(l: Ladder, now: number): void {
	for (;;) {
		const best = l.best((c) => c.usable && (l.chosen === null || (climbs(l, c) && now >= trialEnds(l, now, c))));
		if (best === null) return;
		l.chosen = best; // which may have a successor itself
		best.taken = now;
	}
}

/**
 * besideOf is the second carrier to send on, if one is wanted: whatever is best
 * while the chosen one is in doubt, otherwise a better rung, or a successor, on trial.
 */
function besideOf(l: Ladder): Carrier | null {
	const { chosen } = l;
	if (chosen === null) return null;
	const doubt = !chosen.isSound();
	return l.best((c) => c !== chosen && c.usable && (doubt || climbs(l, c)));
}

/**
 * climbs reports whether c is a sound carrier on a better rung than the chosen
 * one, or its successor: who built that will give up the older one, with what is on its way there.
 */
function climbs(l: Ladder, c: Carrier): boolean {
	if (l.chosen === null || !c.isSound()) return false;
	return c.height < l.chosen.height || (c.height === l.chosen.height && c.born > l.chosen.born);
}

function trialEnds(l: Ladder, now: number, c: Carrier): number {
	return c.sound + l.holdDown(now, c);
}

/** use marks what is in use and returns it, best rung first. */
function use(l: Ladder, now: number, beside: Carrier | null): Carrier[] {
	for (const c of l.carriers) c.setUse(now, !l.resting && (c === l.chosen || c === beside));
	const both = [l.chosen, beside].filter((c) => c !== null);
	return both.sort((a, b) => a.height - b.height);
}

/**
 * pair is the best in use, and behind it the best usable carrier of another rung: what silently ends one connection ends
 * another one on the same rung as well, such as its own successor. Of the same rung only where there is no other.
 */
function pair(l: Ladder, used: Carrier[]): Carrier[] {
	const first = l.best((c) => used.includes(c));
	if (first === null || used.some((c) => c.rung !== first.rung)) return used;
	const second = l.best((c) => c.usable && c.rung !== first.rung) ?? l.best((c) => c.usable && c !== first);
	return second === null ? used : [first, second];
}

/** succeeded reports whether a younger carrier of the same rung is up. */
function succeeded(l: Ladder, c: Carrier): boolean {
	return l.carriers.some((other) => other.rung === c.rung && other.born > c.born);
}

/** wake is the next moment at which step would decide otherwise, taking the probes that are due now as sent. */
function wake(l: Ladder, now: number, probing: readonly Carrier[]): number {
	let at = Infinity;
	for (const c of l.carriers) {
		if (climbs(l, c)) at = Math.min(at, trialEnds(l, now, c));
		if (l.unwatched) continue;
		at = Math.min(at, probing.includes(c) ? now + c.again(l.cfg) : c.probeAt(now, l.cfg));
		if (c.usable && !c.silent) at = Math.min(at, c.doubtAt(l.cfg));
		if (c.mayBeLate()) at = Math.min(at, c.lateAt(l.cfg));
		const replace = c.trouble + l.cfg.replaceAfter;
		if (!c.isSound() && replace > now) at = Math.min(at, replace);
	}
	return at;
}

/** reason explains the chosen carrier and the one beside it. */
function reason(l: Ladder, now: number, beside: Carrier | null): Reason {
	const { chosen } = l;
	if (chosen === null) return REASONS.none;
	if (chosen.unheard) return REASONS.unheard;
	if (chosen.silent) return REASONS.silent;
	if (beside !== null) return l.holdDown(now, beside) > l.cfg.stay ? REASONS.held : REASONS.trial;
	if (l.carriers.some((c) => c.height < chosen.height && (c.silent || c.unheard))) return REASONS.fell;
	return l.carriers.length === 1 ? REASONS.only : REASONS.best;
}
