/** Colours are those of the theme, resolved, as a canvas needs them. */
export interface Colours {
	ink: string;
	soft: string;
	faint: string;
	line: string;
	edge: string;
	sunk: string;
	accent: string;
	warn: string;
	body: string;
	pole: string;
	font: string;
}

/** Sheet is a canvas as large as its place on the page, in CSS pixels whatever the screen's are. */
export class Sheet {
	private readonly context: CanvasRenderingContext2D | null;
	private readonly observer: ResizeObserver;
	private width = 0;
	private height = 0;
	private colours: Colours | null = null;

	constructor(private readonly canvas: HTMLCanvasElement) {
		this.context = canvas.getContext("2d");
		this.observer = new ResizeObserver(() => this.resize());
		this.observer.observe(canvas);
	}

	dispose(): void {
		this.observer.disconnect();
	}

	/** recolour takes up another theme. */
	recolour(): void {
		this.colours = null;
	}

	/** paint lets something draw on an empty sheet. */
	paint(draw: (context: CanvasRenderingContext2D, width: number, height: number, colours: Colours) => void): void {
		const { context, width, height } = this;
		if (context === null || width === 0 || height === 0) return;
		this.colours ??= readColours(this.canvas);
		const ratio = this.canvas.width / width;
		context.setTransform(ratio, 0, 0, ratio, 0, 0);
		context.clearRect(0, 0, width, height);
		draw(context, width, height, this.colours);
	}

	private resize(): void {
		const { canvas } = this;
		const ratio = Math.min(window.devicePixelRatio, 3);
		this.width = canvas.clientWidth;
		this.height = canvas.clientHeight;
		canvas.width = Math.round(this.width * ratio);
		canvas.height = Math.round(this.height * ratio);
	}
}

function readColours(host: HTMLElement): Colours {
	const probe = document.createElement("span");
	probe.hidden = true;
	host.parentElement?.append(probe);
	const resolve = (name: string) => {
		probe.style.color = `var(${name})`;
		return getComputedStyle(probe).color;
	};
	const colours = {
		ink: resolve("--ink"),
		soft: resolve("--soft"),
		faint: resolve("--faint"),
		line: resolve("--line"),
		edge: resolve("--edge"),
		sunk: resolve("--sunk"),
		accent: resolve("--accent"),
		warn: resolve("--warn"),
		body: resolve("--s1"),
		pole: resolve("--s2"),
		font: getComputedStyle(host).fontFamily,
	};
	probe.remove();
	return colours;
}
