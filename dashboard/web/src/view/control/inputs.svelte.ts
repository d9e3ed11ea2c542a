import type { Hands } from "../../hands/hands";
import { Keys } from "../../hands/keys";
import { cleanPadSettings, firstPad, PadHand, type PadSettings } from "../../hands/pad";
import { cleanSticks, deflections, inCircle, type Sticks, sticksFor } from "../../hands/sticks";
import type { Axis } from "../../port";

const PAD_KEY = "telepath.pad";
const STICKS_KEY = "telepath.sticks";

/** Inputs are stick, keys and pad of a device's page, from when it is shown until dispose. */
export class Inputs {
	pad = $state.raw<PadSettings>(cleanPadSettings(stored(PAD_KEY)));
	sticks = $state.raw<Sticks>(sticksFor([]));
	/** The pad that is read; "": none is plugged in. */
	padName = $state.raw("");
	/** What the pad's axes show, for the preview. */
	padAxes = $state.raw<readonly number[]>([]);
	/** The preview is looked at. */
	previewed = false;

	private readonly keys = new Keys();
	private readonly padHand = new PadHand();
	private axes: readonly Axis[] = [];
	private frame = 0;

	constructor(
		private readonly hands: Hands,
		private readonly device: string,
	) {
		window.addEventListener("keydown", this.keyDown);
		window.addEventListener("keyup", this.keyUp);
		window.addEventListener("blur", this.blur);
		window.addEventListener("gamepadconnected", this.padsChanged);
		window.addEventListener("gamepaddisconnected", this.padsChanged);
		this.padsChanged();
	}

	dispose(): void {
		cancelAnimationFrame(this.frame);
		window.removeEventListener("keydown", this.keyDown);
		window.removeEventListener("keyup", this.keyUp);
		window.removeEventListener("blur", this.blur);
		window.removeEventListener("gamepadconnected", this.padsChanged);
		window.removeEventListener("gamepaddisconnected", this.padsChanged);
		this.hands.release("");
	}

	/** of says which axes there are. */
	of(axes: readonly Axis[]): void {
		const same = axes.map(({ name }) => name).join() === this.axes.map(({ name }) => name).join();
		this.axes = axes;
		if (!same) this.sticks = cleanSticks(stored(`${STICKS_KEY} ${this.device}`), axes);
	}

	setSticks(sticks: Sticks): void {
		this.sticks = sticks;
		store(`${STICKS_KEY} ${this.device}`, sticks);
	}

	setPad(pad: PadSettings): void {
		this.pad = pad;
		this.padHand.rest();
		store(PAD_KEY, pad);
	}

	/** point is an input that points somewhere; null: it is let go. asked: it does not say so by itself. */
	point(input: string, at: { x: number; y: number } | null, asked = false): void {
		if (at === null) this.hands.letGo(input);
		else this.hands.grip(input, deflections(this.sticks, at), asked);
	}

	/** shown is where the stick points by whatever moves its axes: keys and pad, too. */
	shown(): { x: number; y: number } {
		const { x, y, invertX, invertY } = this.sticks;
		const at = (axis: number | null, invert: boolean) => {
			const d = axis === null ? 0 : this.hands.deflection(axis);
			return invert ? 0 - d : d;
		};
		return inCircle(at(x, invertX), 0 - at(y, invertY), 1);
	}

	private readonly keyDown = (event: KeyboardEvent): void => {
		if (event.key === "Meta" || event.metaKey) this.blur(); // macOS tells of no key that is let go while this one is down
		if (event.repeat) {
			if (this.keys.direction() !== null) event.preventDefault(); // the page would scroll
			return;
		}
		if (!this.keys.press(event)) return;
		if (!this.hands.ready) {
			this.keys.clear();
			return;
		}
		event.preventDefault();
		this.point("keys", this.keys.direction());
	};

	private readonly keyUp = (event: KeyboardEvent): void => {
		if (this.keys.lift(event)) this.point("keys", this.keys.direction());
	};

	private readonly blur = (): void => {
		this.keys.clear();
		this.hands.letGo("keys");
	};

	private readonly padsChanged = (): void => {
		const pad = firstPad();
		const before = this.padName;
		this.padName = pad?.id ?? "";
		if (pad === null && before !== "" && this.hands.holds("pad")) this.hands.release("the game pad was unplugged");
		cancelAnimationFrame(this.frame);
		if (pad !== null) this.frame = requestAnimationFrame(this.readPad);
		else {
			this.padAxes = [];
			this.padHand.rest(); // the next one may come with its stick held, and be of the same name
		}
	};

	/** A pad has to be asked; it is, once a frame. */
	private readonly readPad = (): void => {
		this.frame = requestAnimationFrame(this.readPad);
		const pad = firstPad();
		if (pad === null) {
			this.padsChanged(); // the browser has not said so yet
			return;
		}
		if (this.previewed) this.padAxes = pad.axes.slice();
		const at = this.padHand.read(pad, this.pad);
		if (at !== null && !this.hands.ready) this.padHand.rest();
		else this.point("pad", at, true);
	};
}

function stored(key: string): unknown {
	try {
		return JSON.parse(localStorage.getItem(key) ?? "null");
	} catch {
		return null;
	}
}

function store(key: string, value: unknown): void {
	try {
		localStorage.setItem(key, JSON.stringify(value));
	} catch {
		// A browser that keeps nothing: the settings live as long as the page.
	}
}
