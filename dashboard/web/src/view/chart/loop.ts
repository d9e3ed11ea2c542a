import { Pace } from "./pace";

/** Drawable is something the animation frame draws. */
export interface Drawable {
	/** Whether it is on screen; what is not costs nothing. */
	visible: boolean;
	/** It shows what a hand does: while one is there it is in every frame, and the others take turns. */
	readonly steers?: boolean;
	/** now is the device's time, at the page's own, in ms. It may find that nothing has moved. */
	draw(now: number, at: number, pace: Pace): void;
	/** Values in words, a few times a second. */
	write(now: number): void;
}

/** Time that drawing may take of one frame, in ms. What does not fit comes first in the next one. */
const BUDGET_MS = 9;
/** The same while a hand is there: an input waits for what is being drawn, and for what the browser has to paint of it. */
const STEERED_MS = 2;
/**
 * While a hand is there and the past comes, frames are this far apart, in ms, at most: each is in the way of an input that comes
 * meanwhile, and takes processors that its way to the device needs. Behind an input after which another one is least likely one
 * comes sooner, but no sooner than that after the one before.
 */
const SELDOM_LATEST_MS = 100;
const SELDOM_SOONEST_MS = 50;
/** Text changes no faster than a person reads. */
const WRITE_EVERY_MS = 200;
/** A hidden page gets no frames; what was collected is fetched at this pace instead. */
const HIDDEN_EVERY_MS = 1_000;

export interface LoopOptions {
	/** fetch asks for what came; it is here a moment later: for the next frame, or, where frames are seldom, for the one that was asked for. */
	fetch(): void;
	/** frame is called at the beginning of each frame: move the axis. It returns the time to draw at. */
	frame(): number;
	/** slow is called at the pace of the text. */
	slow(now: number): void;
	/** steered says whether a hand is there: then drawing gives way to inputs. */
	steered(): boolean;
	/** filling says whether the past comes: beside that frames are seldom while a hand is there. */
	filling(): boolean;
}

/** Loop is the one place where anything is drawn. */
export class Loop {
	private readonly pace = new Pace();
	private readonly drawables: Drawable[] = [];
	private next = 0;
	private request = 0;
	private hidden: ReturnType<typeof setInterval> | undefined;
	private written = 0;
	private wrote = false; // in the last frame
	private began = 0; // the last frame
	private waiting: ReturnType<typeof setTimeout> | undefined; // for an input, while frames are seldom

	constructor(private readonly options: LoopOptions) {
		document.addEventListener("visibilitychange", this.follow);
		this.follow();
	}

	/** add lets the loop draw something; the result takes it out again. */
	add(drawable: Drawable): () => void {
		this.drawables.push(drawable);
		return () => {
			const at = this.drawables.indexOf(drawable);
			if (at >= 0) this.drawables.splice(at, 1);
		};
	}

	/** input says that a hand has just moved something, and does so again least likely now. */
	input(): void {
		if (this.waiting !== undefined && performance.now() - this.began >= SELDOM_SOONEST_MS) this.ask();
	}

	dispose(): void {
		document.removeEventListener("visibilitychange", this.follow);
		this.halt();
	}

	private halt(): void {
		cancelAnimationFrame(this.request);
		clearTimeout(this.waiting);
		clearInterval(this.hidden);
		this.waiting = undefined;
	}

	private readonly follow = (): void => {
		this.halt();
		if (document.hidden) this.hidden = setInterval(this.unseen, HIDDEN_EVERY_MS);
		else this.ask();
	};

	private readonly unseen = (): void => {
		this.options.fetch();
		this.options.frame();
	};

	private readonly ask = (): void => {
		clearTimeout(this.waiting);
		this.waiting = undefined;
		if (this.seldom()) this.options.fetch();
		this.request = requestAnimationFrame(this.frame);
	};

	private seldom(): boolean {
		return this.options.steered() && this.options.filling();
	}

	private readonly frame = (): void => {
		const steered = this.options.steered();
		const seldom = this.seldom();
		if (seldom) this.waiting = setTimeout(this.ask, SELDOM_LATEST_MS);
		else {
			this.ask();
			this.options.fetch();
		}
		const now = this.options.frame();
		const began = performance.now();
		this.began = began;
		this.pace.frame(seldom ? Number.NaN : began); // its distance to others says nothing then
		// A frame that has text to lay out has no chart to paint beside it; that is for the next one.
		const writes = began - this.written >= WRITE_EVERY_MS && !(steered && this.wrote);
		this.wrote = writes;
		if (writes) this.write(now, began);
		if (steered) for (const one of this.drawables) if (one.steers && one.visible) one.draw(now, began, this.pace);
		if (!writes || !steered) this.draw(now, began, steered);
	};

	private write(now: number, began: number): void {
		this.written = began;
		this.options.slow(now);
		for (const drawable of this.drawables) if (drawable.visible) drawable.write(now);
	}

	/** draw takes turns: whoever had to wait is first in the next frame. */
	private draw(now: number, began: number, steered: boolean): void {
		const budget = steered ? STEERED_MS : BUDGET_MS;
		for (let i = 0; i < this.drawables.length; i++) {
			const drawable = this.drawables[this.next % this.drawables.length];
			this.next = (this.next + 1) % this.drawables.length;
			if (!drawable?.visible || (steered && drawable.steers)) continue;
			drawable.draw(now, began, this.pace);
			if (performance.now() - began > budget) return;
		}
	}
}
