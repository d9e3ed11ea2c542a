import { WINDOWS } from "../chart/timeline";

/** What the keys do. */
export interface Shortcuts {
	pause(): void;
	live(): void;
	span(ms: number): void;
	drawer(): void;
	theme(): void;
	help(): void;
}

/** Elements that mean something of their own by a key. */
const TYPING = "input, textarea, select, [contenteditable]";
const PRESSABLE = "button, a, summary";

/** shortcut does what a key stands for; false: the key is not one, or belongs to what has the focus. */
export function shortcut(event: KeyboardEvent, does: Shortcuts): boolean {
	const target = event.target instanceof Element ? event.target : null;
	if (event.ctrlKey || event.metaKey || event.altKey || target?.closest(TYPING)) return false;
	if (event.key === " ") return !target?.closest(PRESSABLE) && run(() => does.pause());
	const [minute, five, thirty] = WINDOWS;
	switch (event.key.toLowerCase()) {
		case "l":
			return run(() => does.live());
		case "1":
			return run(() => does.span(minute));
		case "5":
			return run(() => does.span(five));
		case "3":
			return run(() => does.span(thirty));
		case "c":
			return run(() => does.drawer());
		case "t":
			return run(() => does.theme());
		case "?":
			return run(() => does.help());
		default:
			return false;
	}
}

function run(action: () => void): true {
	action();
	return true;
}
