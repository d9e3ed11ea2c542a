/**
 * Grasp is what holds a slider: a pointer or a key that is down on it. Whatever
 * else sets one, as programs do for people who use neither, is no hand: nothing
 * would ever let go.
 */
export class Grasp {
	private pointer: number | null = null;
	private key = "";

	get holds(): boolean {
		return this.pointer !== null || this.key !== "";
	}

	/** touch is a pointer that went down. */
	touch({ pointerId }: PointerEvent): void {
		this.pointer = pointerId;
	}

	/** isOf says whether it is this pointer that holds: another finger that is lifted lets go of something else. */
	isOf({ pointerId }: PointerEvent): boolean {
		return pointerId === this.pointer;
	}

	/** press is a key that went down; false: none holds any more. */
	press({ key, code, metaKey }: KeyboardEvent): boolean {
		const meta = key === "Meta" || metaKey; // macOS tells of no key that is let go while this one is down
		this.key = meta ? "" : code;
		return !meta;
	}

	end(): void {
		this.pointer = null;
		this.key = "";
	}
}
