/** Directions of the keys, right and up positive. By the place of a key, so that it is the same on every keyboard. */
const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
	KeyW: [0, 1],
	KeyS: [0, -1],
	KeyA: [-1, 0],
	KeyD: [1, 0],
	ArrowUp: [0, 1],
	ArrowDown: [0, -1],
	ArrowLeft: [-1, 0],
	ArrowRight: [1, 0],
};

/** Elements that letters mean something to, and those that arrows do besides. */
const TYPING = "input:not([type=range]), textarea, select, [contenteditable], dialog";
const ARROWS = "input, [data-plot], [role=listbox], [role=radiogroup]";

/** Keys are those that are held down, and where they point. */
export class Keys {
	private readonly down = new Set<string>();

	/** press takes a key that went down; false: it is none of ours, or belongs to what has the focus. */
	press(event: KeyboardEvent): boolean {
		if (!(event.code in DIRECTIONS) || event.ctrlKey || event.metaKey || event.altKey) return false;
		const target = event.target instanceof Element ? event.target : null;
		if (target?.closest(TYPING)) return false;
		if (event.code.startsWith("Arrow") && target?.closest(ARROWS)) return false;
		this.down.add(event.code);
		return true;
	}

	/** lift takes a key that went up, wherever the focus is by now; false: it was not down. */
	lift(event: KeyboardEvent): boolean {
		return this.down.delete(event.code);
	}

	clear(): void {
		this.down.clear();
	}

	/** direction is where they point together; null: none is down. */
	direction(): { x: number; y: number } | null {
		if (this.down.size === 0) return null;
		let [x, y] = [0, 0];
		for (const code of this.down) {
			const [dx, dy] = DIRECTIONS[code] ?? [0, 0];
			x += dx;
			y += dy;
		}
		return { x: Math.sign(x), y: Math.sign(y) };
	}
}
