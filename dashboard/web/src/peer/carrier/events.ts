// The text/event-stream of an answer (WHATWG HTML, section 9.2.6), as far as a
// link needs it: events with data; everything else is skipped.

/** Longest event, in characters: a packet of 64 KiB as base64url, and room for more. */
const MAX_EVENT = 128 * 1024;

/** EventStream takes a stream apart as it comes, in pieces of any size. */
export class EventStream {
	private readonly decoder = new TextDecoder();
	private rest = "";
	private data: string[] = [];
	private size = 0;

	constructor(private readonly onEvent: (data: string) => void) {}

	/** push takes the next piece; false: an event is longer than any can be. */
	push(piece: Uint8Array): boolean {
		const text = this.rest + this.decoder.decode(piece, { stream: true });
		// A CR at the end may be half of a line's end.
		const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
		const lines = whole.split(/\r\n|\n|\r/);
		this.rest = (lines.pop() ?? "") + text.slice(whole.length);
		for (const line of lines) this.line(line);
		return this.size + this.rest.length <= MAX_EVENT;
	}

	private line(line: string): void {
		if (line === "") this.dispatch();
		else if (line.startsWith("data:")) this.add(line.slice(line[5] === " " ? 6 : 5));
	}

	private add(data: string): void {
		this.data.push(data);
		this.size += data.length;
	}

	private dispatch(): void {
		const data = this.data.join("\n");
		this.data = [];
		this.size = 0;
		if (data !== "") this.onEvent(data);
	}
}
