/** Palette holds the colours of a theme as the canvas needs them: resolved. */
export interface Palette {
	series: string[];
	grid: string;
	text: string;
	warn: string;
	faint: string;
	font: string;
}

/** Three colours told apart with the common colour blindnesses; further series get dashes. */
const SERIES = ["--s1", "--s2", "--s3"];
const DASHES: readonly (readonly number[])[] = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

/** readPalette resolves the theme's custom properties, which the canvas cannot read. */
export function readPalette(host: HTMLElement): Palette {
	const probe = document.createElement("span");
	probe.hidden = true;
	host.append(probe);
	const resolve = (name: string) => {
		probe.style.color = `var(${name})`;
		return getComputedStyle(probe).color;
	};
	const palette = {
		series: SERIES.map(resolve),
		grid: resolve("--line"),
		text: resolve("--faint"),
		warn: resolve("--warn"),
		faint: resolve("--faint"),
		font: getComputedStyle(host).fontFamily,
	};
	probe.remove();
	return palette;
}

export function seriesColour(palette: Palette, index: number): string {
	return palette.series[index % palette.series.length] ?? palette.text;
}

export function seriesDash(index: number): readonly number[] {
	return DASHES[Math.floor(index / SERIES.length) % DASHES.length] ?? [];
}
