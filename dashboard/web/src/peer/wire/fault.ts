const WORDS = {
	short: "ends too early",
	range: "value out of range",
	version: "header of another version",
	form: "unknown kind or encoding",
	"not-finite": "the number is not finite",
	utf8: "the text is not valid UTF-8",
	long: "the text or the bytes are longer than allowed",
	count: "a batch has 1 to 1024 samples",
	kind: "the value is of another kind than its batch",
	signal: "the signal cannot be read",
} as const;

/** Fault says what is wrong with bytes, in one word that both languages use. */
export type Fault = keyof typeof WORDS;

/**
 * FormatError is what parsers throw, whatever their input, and encoders for
 * what must not be sent. A receiver counts it as the drop reason "malformed".
 */
export class FormatError extends Error {
	override readonly name = "FormatError";
	readonly fault: Fault;

	constructor(fault: Fault, message: string = WORDS[fault]) {
		super(message);
		this.fault = fault;
	}
}
