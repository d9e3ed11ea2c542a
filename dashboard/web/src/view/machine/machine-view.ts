import type { StreamStore } from "../../store/stream";
import type { Drawable } from "../chart/loop";
import { part, setText } from "../device/parts";
import { NONE, number } from "../format/number";
import { duration } from "../format/time";
import type { App } from "../state/app.svelte";
import type { Ages } from "./ages";
import { type PoleStreams, type RoverStreams, streamsOf } from "./known";
import { paintAges } from "./paint-ages";
import { paintPole } from "./paint-pole";
import { paintRover } from "./paint-rover";
import { Sheet } from "./sheet";

/** How long the rover's trail is, in ms. */
const TRAIL_MS = 8_000;
/** How long a honk is seen, in ms. */
const HONK_MS = 800;

/** The pole's stances in words (device/machine). */
const STANCES: Record<string, string> = { down: "lying on the rail", held: "held by a hand", up: "up" };

/** MachineView draws pole and rover from telemetry, at the screen's rate, into a card that Svelte has made. */
export class MachineView implements Drawable {
	visible = false;
	readonly steers = true;
	private readonly pole: PoleStreams;
	private readonly rover: RoverStreams;
	private readonly poleSheet: Sheet;
	private readonly roverSheet: Sheet;
	private readonly agesSheet: Sheet;
	private readonly words: Record<"angle" | "cart" | "force" | "stance" | "speed" | "trip" | "age", HTMLElement>;
	private written = 0; // control messages when values were written last
	private readonly trail: number[] = [];
	private readonly cleanup: (() => void)[] = [];

	/** of makes a view, or none where the streams have changed meanwhile. */
	static of(app: App, root: HTMLElement, ages: Ages): MachineView | null {
		const found = streamsOf(app.store);
		return found === null ? null : new MachineView(app, root, ages, found);
	}

	private constructor(
		private readonly app: App,
		root: HTMLElement,
		private readonly ages: Ages,
		{ pole, rover }: { pole: PoleStreams; rover: RoverStreams },
	) {
		this.pole = pole;
		this.rover = rover;
		this.poleSheet = new Sheet(canvas(root, "pole"));
		this.roverSheet = new Sheet(canvas(root, "rover"));
		this.agesSheet = new Sheet(canvas(root, "ages"));
		const box = (name: string) => part(root, name);
		this.words = {
			angle: box("angle"),
			cart: box("cart"),
			force: box("force"),
			stance: box("stance"),
			speed: box("speed"),
			trip: box("trip"),
			age: box("age"),
		};
		this.cleanup.push(app.loop.add(this), this.watch(root));
	}

	dispose(): void {
		for (const undo of this.cleanup) undo();
		this.poleSheet.dispose();
		this.roverSheet.dispose();
		this.agesSheet.dispose();
	}

	/** recolour takes up another theme. */
	recolour(): void {
		this.poleSheet.recolour();
		this.roverSheet.recolour();
		this.agesSheet.recolour();
	}

	draw(now: number, at: number): void {
		const { pole, rover, ages } = this;
		this.poleSheet.paint((context, width, height, colours) => {
			const held = pole.stance.latest.text === "held";
			const [x, angle, force] = [value(pole.x), value(pole.angle), value(pole.force)];
			paintPole(context, width, height, { x, angle, force, held, stale: pole.angle.isStale(now) }, colours);
		});
		this.roverSheet.paint((context, width, height, colours) => {
			const { latest } = rover.horn;
			const honks = !latest.retained && now - latest.time < HONK_MS;
			const [x, y, heading] = [value(rover.x), value(rover.y), value(rover.heading)];
			const shown = { x, y, heading, honks, stale: rover.x.isStale(now), trail: this.trailOf(now) };
			paintRover(context, width, height, shown, colours);
		});
		this.agesSheet.paint((context, width, height, colours) => paintAges(context, width, height, ages, at, colours));
	}

	write(now: number): void {
		const { words, pole, rover } = this;
		setText(words.angle, quantity((value(pole.angle) * 180) / Math.PI, 1, "°"));
		setText(words.cart, quantity(value(pole.x), 2, " m"));
		setText(words.force, quantity(value(pole.force), 1, " N"));
		setText(words.speed, quantity(value(rover.speed), 2, " m/s"));
		setText(words.trip, quantity(this.app.path?.rttMs ?? Number.NaN, 0, " ms"));
		const fresh = this.ages.sent > this.written;
		this.written = this.ages.sent;
		setText(words.age, quantity(fresh ? this.ages.last() : Number.NaN, 0, " ms"));
		setText(words.stance, stance(pole.stance, now));
	}

	/** trailOf fills the trail with where the rover was of late. */
	private trailOf(now: number): readonly number[] {
		const { x, y } = this.rover;
		this.trail.length = 0;
		for (let row = x.ring.firstAt(now - TRAIL_MS); row < x.ring.count; row++) {
			const other = y.valueAt(x.ring.time(row));
			if (!Number.isNaN(other)) this.trail.push(x.ring.value(row), other);
		}
		return this.trail;
	}

	private watch(root: HTMLElement): () => void {
		const observer = new IntersectionObserver(([entry]) => {
			this.visible = entry?.isIntersecting ?? false;
		});
		observer.observe(root);
		return () => observer.disconnect();
	}
}

function canvas(root: HTMLElement, name: string): HTMLCanvasElement {
	const found = part(root, name);
	if (!(found instanceof HTMLCanvasElement)) throw new Error(`${name} is no canvas`);
	return found;
}

function value(stream: StreamStore): number {
	return stream.latest.value;
}

function quantity(x: number, digits: number, unit: string): string {
	return Number.isFinite(x) ? `${number(x, digits)}${unit}` : NONE;
}

/** stance says how the pole is, and since when. */
function stance(stream: StreamStore, now: number): string {
	const { text, time } = stream.latest;
	const word = STANCES[text];
	return word === undefined ? NONE : `${word}, for ${duration(Math.max(0, now - time))}`;
}
