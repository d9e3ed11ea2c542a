import { Pace } from "./pace";

/** Drawable is something the animation frame draws. */
export interface Drawable {
	/** Whether it is on screen; what is not costs nothing. */
	visible: boolean;
	/** now is the device's time, at the page's own, in ms. It may find that nothing has moved. */
	draw(now: number, at: number, pace: Pace): void;
	/** Values in words, a few times a second. */
	write(now: number): void;
}

/** Time that drawing may take of one frame, in ms. What does not fit comes first in the next one. */
const BUDGET_MS = 9;
/** The same while a hand is there: an input waits for what is being drawn, and for what the browser has to paint of it. */
const STEERED_MS = 2;
/** Text changes no faster than a person reads. */
const WRITE_EVERY_MS = 200;
/** A hidden page gets no frames; what was collected is fetched at this pace instead. */
const HIDDEN_EVERY_MS = 1_000;

export interface LoopOptions {
	/** frame is called at the beginning of each frame: fetch what came, move the axis. It returns the time to draw at. */
	frame(): number;
	/** slow is called at the pace of the text. */
	slow(now: number): void;
	/** steered says whether a hand is there: then drawing gives way to inputs. */
	steered(): boolean;
}

/** Loop is the one place where anything is drawn. */
export class Loop {
	private readonly pace = new Pace();
	private readonly drawables: Drawable[] = [];
	private next = 0;
	private request = 0;
	private hidden: ReturnType<typeof setInterval> | undefined;
	private written = 0;

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

	dispose(): void {
		document.removeEventListener("visibilitychange", this.follow);
		cancelAnimationFrame(this.request);
		clearInterval(this.hidden);
	}

	private readonly follow = (): void => {
		cancelAnimationFrame(this.request);
		clearInterval(this.hidden);
		if (document.hidden) this.hidden = setInterval(() => this.options.frame(), HIDDEN_EVERY_MS);
		else this.request = requestAnimationFrame(this.frame);
	};

	private readonly frame = (): void => {
		this.request = requestAnimationFrame(this.frame);
		const now = this.options.frame();
		const began = performance.now();
		this.pace.frame(began);
		const steered = this.options.steered();
		const written = began - this.written >= WRITE_EVERY_MS;
		if (written) this.write(now, began);
		if (!written || !steered) this.draw(now, began, steered ? STEERED_MS : BUDGET_MS);
	};

	private write(now: number, began: number): void {
		this.written = began;
		this.options.slow(now);
		for (const drawable of this.drawables) if (drawable.visible) drawable.write(now);
	}

	/** draw takes turns: whoever had to wait is first in the next frame. */
	private draw(now: number, began: number, budget: number): void {
		for (let i = 0; i < this.drawables.length; i++) {
			const drawable = this.drawables[this.next % this.drawables.length];
			this.next = (this.next + 1) % this.drawables.length;
			if (!drawable?.visible) continue;
			drawable.draw(now, began, this.pace);
			if (performance.now() - began > budget) return;
		}
	}
}
