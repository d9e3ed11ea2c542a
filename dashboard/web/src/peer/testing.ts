import type { Env } from "./env";

/** TestEnv is a world whose time stands still until it is moved. */
export class TestEnv implements Env {
	time = 1_000;
	/** What random says: 1 less a little, so that jitter is at its longest. */
	chance = 0.999;
	private readonly timers = new Set<{ at: number; call: () => void }>();
	private uuids = 0;

	now(): number {
		return this.time;
	}

	wall(): number {
		return 1.7e15 + this.time * 1000;
	}

	rebase(): boolean {
		return false;
	}

	random = (): number => this.chance;

	later(ms: number, call: () => void): () => void {
		const timer = { at: this.time + Math.max(0, ms), call };
		this.timers.add(timer);
		return () => this.timers.delete(timer);
	}

	uuid(): string {
		this.uuids++;
		return `00000000-0000-4000-8000-${this.uuids.toString().padStart(12, "0")}`;
	}

	debug(): void {}

	/** advance moves time on and calls what falls due, in order. */
	advance(ms: number): void {
		const end = this.time + ms;
		for (let next = this.next(end); next !== undefined; next = this.next(end)) {
			this.timers.delete(next);
			this.time = Math.max(this.time, next.at);
			next.call();
		}
		this.time = end;
	}

	private next(end: number): { at: number; call: () => void } | undefined {
		return [...this.timers].filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
	}
}

/** FakeChannel is a data channel that keeps what is sent in its buffer until it drains. */
export class FakeChannel {
	binaryType = "";
	readyState: RTCDataChannelState = "connecting";
	bufferedAmount = 0;
	bufferedAmountLowThreshold = 0;
	readonly sent: Uint8Array[] = [];
	onopen: (() => void) | null = null;
	onclose: (() => void) | null = null;
	onmessage: ((event: { data: unknown }) => void) | null = null;
	onbufferedamountlow: (() => void) | null = null;

	constructor(readonly id: number) {}

	opens(): void {
		this.readyState = "open";
		this.onopen?.();
	}

	drains(): void {
		this.bufferedAmount = 0;
		this.onbufferedamountlow?.();
	}

	send(bytes: Uint8Array): void {
		this.sent.push(bytes);
		this.bufferedAmount += bytes.length;
	}

	close(): void {
		this.readyState = "closed";
	}

	/** take empties what was sent. */
	take(): Uint8Array[] {
		this.bufferedAmount = 0;
		return this.sent.splice(0);
	}
}
