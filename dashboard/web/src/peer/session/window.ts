/** WINDOW_SIZE is how many of the newest sequence numbers of a Live stream are remembered. */
const WINDOW_SIZE = 4096;

/** Window is the set of the newest sequence numbers seen: one bit each, at seq modulo WINDOW_SIZE. */
export class Window {
	/** newest is the largest that was seen; 0: none yet. */
	newest = 0;
	private readonly bits = new Uint32Array(WINDOW_SIZE / 32);

	/** advance moves the window so that it ends at seq, if that is newer. */
	advance(seq: number): void {
		if (seq <= this.newest) return;
		if (seq - this.newest >= WINDOW_SIZE) {
			this.bits.fill(0);
			this.newest = seq;
		}
		while (this.newest < seq) {
			this.newest++;
			const i = this.newest % WINDOW_SIZE;
			this.bits[i >> 5] = (this.bits[i >> 5] ?? 0) & ~(1 << (i & 31));
		}
	}

	/** tooOld reports whether seq has left the window. */
	tooOld(seq: number): boolean {
		return seq <= this.newest - WINDOW_SIZE;
	}

	/** add puts seq, which is in the window, into the set; false: it was there. */
	add(seq: number): boolean {
		const i = seq % WINDOW_SIZE;
		const word = this.bits[i >> 5] ?? 0;
		const bit = 1 << (i & 31);
		if ((word & bit) !== 0) return false;
		this.bits[i >> 5] = word | bit;
		return true;
	}
}
