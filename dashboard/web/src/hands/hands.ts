import type { Axis, Target } from "../port";
import { toValue } from "./shape";

/** While a hand is there it is counted this often, in ms: well within the time after which it is none. */
const BEAT = 40;
/** A hand that was not counted for so long was not there, in ms (protocol, 10.4). */
const GONE = 150;

export interface HandsOptions {
	/** send tells the engine; nothing stands between. */
	send(hand: number, targets: Target[]): void;
	/** moved hears which input has just said something, behind what was sent of it. */
	moved?(input: string): void;
	/** absent says why no hand can be there now, for people; "": one can. */
	absent(): string;
	/** now is a monotonic time in ms. */
	now(): number;
	/** first is the first count: above those of an earlier life of this page. */
	first: number;
}

/**
 * Hands is what all inputs of the page do together. An input that is touched
 * holds axes; one that is let go holds none. Only while any holds is the hand
 * counted, here and nowhere else: by the same thread that reads the
 * inputs. A page that hangs, or shows a dialog of the browser, counts nothing.
 * An input that does not tell by itself when it is let go has to be asked, and
 * holds no longer than that.
 */
export class Hands {
	private readonly grips = new Map<string, ReadonlyMap<number, number>>(); // deflections by axis, by input
	/** When those were asked last that have to be. */
	private readonly asked = new Map<string, number>();
	/** Inputs that were released and did not let go themselves yet: they hold nothing until they have. */
	private readonly spent = new Set<string>();
	private axes: readonly Axis[] = [];
	private toldAt = 0;
	private count: number;
	private timer: ReturnType<typeof setInterval> | undefined;
	private listener: (held: boolean, why: string) => void = () => undefined;

	constructor(private readonly options: HandsOptions) {
		this.count = options.first;
	}

	/** of says which axes there are to hold; none: nothing can be held. */
	of(axes: readonly Axis[]): void {
		if (axes.length === 0) this.release("");
		this.axes = axes;
	}

	/** listen names the one listener: it hears when a hand comes, and when it goes and why. */
	listen(listener: (held: boolean, why: string) => void): void {
		this.listener = listener;
	}

	/** ready says whether there is something to hold. */
	get ready(): boolean {
		return this.axes.length > 0;
	}

	/** holds says whether an input does. */
	holds(input: string): boolean {
		return this.grips.has(input);
	}

	/** held says whether a hand is there. */
	get held(): boolean {
		return this.grips.size > 0;
	}

	/** grip is an input that holds axes, by their numbers, or, asked, one that was just asked and does; false: it may not. */
	grip(input: string, deflections: ReadonlyMap<number, number>, asked = false): boolean {
		if (this.axes.length === 0 || this.spent.has(input)) return false;
		const why = this.gone();
		if (why !== "") {
			this.release(why);
			this.spent.add(input);
			return false;
		}
		const before = this.held;
		this.grips.set(input, deflections);
		if (asked) this.asked.set(input, this.options.now());
		this.timer ??= setInterval(() => this.beat(), BEAT);
		if (!before) this.listener(true, "");
		this.tell();
		this.options.moved?.(input);
		return true;
	}

	/** letGo is an input that holds nothing any more. */
	letGo(input: string): void {
		this.spent.delete(input);
		this.asked.delete(input);
		if (!this.grips.delete(input)) return;
		if (this.held) this.tell();
		else this.ended("");
		this.options.moved?.(input);
	}

	/** release lets go of everything, until each input has let go itself; why is for people. */
	release(why: string): void {
		if (!this.held) return;
		for (const input of this.grips.keys()) this.spent.add(input);
		this.grips.clear();
		this.asked.clear();
		this.ended(why);
	}

	/** deflection of an axis: that of the input which pushes it furthest. */
	deflection(axis: number): number {
		let furthest = 0;
		for (const deflections of this.grips.values()) {
			const d = deflections.get(axis) ?? 0;
			if (Math.abs(d) > Math.abs(furthest)) furthest = d;
		}
		return furthest;
	}

	private beat(): void {
		const why = this.gone();
		if (why === "") this.tell();
		else this.release(why);
	}

	/** gone says why the hand that was there is not any more, or none can be; "": neither. */
	private gone(): string {
		const now = this.options.now();
		if (this.held && now - this.toldAt >= GONE) return "this page was too busy to see the hand";
		// A window that nobody sees draws no frames: then a pad is not read any more.
		for (const at of this.asked.values()) if (now - at >= GONE) return "this page did not read its inputs";
		return this.options.absent();
	}

	/** The last word of a hand is that all axes are neutral. */
	private ended(why: string): void {
		clearInterval(this.timer);
		this.timer = undefined;
		this.tell();
		this.listener(false, why);
	}

	private tell(): void {
		this.toldAt = this.options.now();
		const targets = this.axes.map((axis) => ({ axis: axis.id, value: toValue(axis, this.deflection(axis.id)) }));
		this.options.send(++this.count, targets);
	}
}
