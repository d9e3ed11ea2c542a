// From the JSON Schema of a method's parameters to a form, and from what was
// filled in to the parameters. The device checks them once more.

/** Field is one input of a form. */
export interface Field {
	key: string; // of the member
	path: string; // its place in the form, for names and errors
	label: string;
	help: string;
	required: boolean;
	kind: "text" | "number" | "integer" | "boolean" | "choice" | "list" | "group" | "json";
	min: number | null;
	max: number | null;
	most: number | null; // characters of a text, or values of a list
	choices: unknown[];
	item: Field | null; // of a list
	fields: Field[]; // of a group
	initial: unknown; // undefined: none
}

/** Draft is what stands in a form: texts as they were typed, by path. */
export type Draft = Record<string, string | boolean>;

/** Deeper groups, and whatever a form has no input for, are typed as JSON. */
const MAX_LEVELS = 2;
const MAX_FIELDS = 40;
const MAX_TEXT = 200;

/** formOf reads a schema; [] where there is nothing to fill in. */
export function formOf(schema: unknown): Field[] {
	if (!isObject(schema) || (schema.properties === undefined && Object.keys(schema).length <= 1)) return [];
	return fieldsOf(schema, "", 1) ?? [field("", "", schema, true, 1)];
}

function fieldsOf(schema: Record<string, unknown>, path: string, level: number): Field[] | null {
	const { properties, required } = schema;
	if (!isObject(properties) || (schema.type !== undefined && schema.type !== "object")) return null;
	const needed = new Set(Array.isArray(required) ? required : []);
	return Object.entries(properties)
		.slice(0, MAX_FIELDS)
		.map(([key, value]) => field(key, path === "" ? key : `${path}.${key}`, value, needed.has(key), level));
}

function field(key: string, path: string, value: unknown, required: boolean, level: number): Field {
	const schema = isObject(value) ? value : {};
	const { title, description, minimum, maximum, maxLength, maxItems } = schema;
	const base: Field = {
		key,
		path,
		label: text(title) || text(key) || "Parameters",
		help: text(description),
		required,
		kind: "json",
		min: finite(minimum),
		max: finite(maximum),
		most: finite(schema.type === "array" ? maxItems : maxLength),
		choices: [],
		item: null,
		fields: [],
		initial: schema.default,
	};
	if (Array.isArray(schema.enum)) return { ...base, kind: "choice", choices: schema.enum };
	switch (schema.type) {
		case "string":
			return { ...base, kind: "text" };
		case "number":
		case "integer":
		case "boolean":
			return { ...base, kind: schema.type };
		case "array": {
			const item = field("", path, schema.items, true, level + 1);
			return ["text", "number", "integer", "choice"].includes(item.kind) ? { ...base, kind: "list", item } : base;
		}
		case "object": {
			const fields = level < MAX_LEVELS ? fieldsOf(schema, path, level + 1) : null;
			return fields === null ? base : { ...base, kind: "group", fields };
		}
		default:
			return base;
	}
}

/** bare is an object without anything that others inherit: a device may call a member "__proto__" or "constructor". */
export function bare<T>(): Record<string, T> {
	return Object.create(null);
}

/** draftOf is a form as it is at first. */
export function draftOf(fields: readonly Field[], from?: unknown): Draft {
	const draft: Draft = bare();
	for (const one of fields) {
		const initial = isObject(from) && Object.hasOwn(from, one.key) ? from[one.key] : one.initial;
		if (one.kind === "group") Object.assign(draft, draftOf(one.fields, initial));
		else draft[one.path] = written(one, initial);
	}
	return draft;
}

function written({ kind, choices }: Field, value: unknown): string | boolean {
	if (kind === "boolean") return value === true;
	if (value === undefined) return "";
	if (kind === "choice") {
		const at = choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value));
		return at < 0 ? "" : String(at);
	}
	if (kind === "list" && Array.isArray(value)) return value.map(shown).join("\n");
	return kind === "json" ? JSON.stringify(value) : shown(value);
}

/** labelled is a choice as it is shown. */
export function labelled(choice: unknown): string {
	return text(shown(choice));
}

/** shown is a value as people write it: texts without quotes. */
function shown(value: unknown): string {
	return typeof value === "string" ? value : JSON.stringify(value);
}

/** Read is what a form says: the parameters, or what is wrong, by the paths of the fields. */
export interface Read {
	params: Record<string, unknown>;
	errors: Record<string, string>;
}

/** read makes parameters of a draft. */
export function read(fields: readonly Field[], draft: Draft): Read {
	const params = bare<unknown>();
	const errors = bare<string>();
	for (const one of fields) {
		const value = one.kind === "group" ? readGroup(one, draft, errors) : readOne(one, typedIn(draft, one), errors);
		if (value !== undefined) params[one.key] = value;
	}
	return { params, errors };
}

function typedIn(draft: Draft, { path }: Field): string | boolean {
	return Object.hasOwn(draft, path) ? (draft[path] ?? "") : "";
}

/** A group that is not needed and in which nothing was filled in is left out. */
function readGroup(group: Field, draft: Draft, errors: Record<string, string>): unknown {
	const empty = group.fields.every((one) => one.kind !== "group" && typedIn(draft, one) === "");
	if (empty && !group.required) return undefined;
	const inner = read(group.fields, draft);
	Object.assign(errors, inner.errors);
	return inner.params;
}

function readOne(one: Field, typed: string | boolean, errors: Record<string, string>): unknown {
	if (typeof typed === "boolean") return typed;
	if (typed.trim() === "" && !(one.kind === "text" && one.required && typed !== "")) {
		if (one.required) errors[one.path] = "This is required.";
		return undefined;
	}
	const values = one.kind === "list" ? typed.split("\n").filter((line) => line.trim() !== "") : [typed];
	if (one.kind === "list" && one.most !== null && values.length > one.most) {
		errors[one.path] = `At most ${one.most} values.`;
	}
	const parsed = values.map((value) => scalar(one.item ?? one, value));
	const wrong = parsed.find((result) => "error" in result);
	if (wrong !== undefined && "error" in wrong) errors[one.path] = wrong.error;
	const good = parsed.flatMap((result) => ("value" in result ? [result.value] : []));
	return one.kind === "list" ? good : good[0];
}

/** A comma is a decimal one, but of 1,000 nobody knows: to take it for 1 would be a thousandth of what many mean. */
const THOUSANDS = /^[+-]?[1-9]\d{0,2}(,\d{3})+$/;

type Scalar = { value: unknown } | { error: string };

function scalar({ kind, min, max, most, choices }: Field, typed: string): Scalar {
	if (kind === "choice") return choice(choices, typed);
	if (kind === "json") return json(typed);
	if (kind === "text") {
		return most !== null && [...typed].length > most ? { error: `At most ${most} characters.` } : { value: typed };
	}
	const text = typed.trim();
	if (kind === "integer" && text.includes(",")) return { error: "Enter a whole number, without a comma." };
	if (THOUSANDS.test(text)) return { error: "Is the comma for thousands? Leave it out, or use a point." };
	const value = Number(text.replace(",", "."));
	if (!Number.isFinite(value)) return { error: "Enter a number." };
	if (kind === "integer" && !Number.isSafeInteger(value)) return { error: "Enter a whole number." };
	if (min !== null && value < min) return { error: `At least ${min}.` };
	if (max !== null && value > max) return { error: `At most ${max}.` };
	return { value };
}

/** A choice is typed as its place in the list; in a list of values as itself. */
function choice(choices: readonly unknown[], typed: string): Scalar {
	const at = choices.findIndex((one, i) => String(i) === typed || [shown(one), labelled(one)].includes(typed.trim()));
	return at < 0 ? { error: `One of: ${choices.map(labelled).join(", ")}.` } : { value: choices[at] };
}

function json(typed: string): Scalar {
	try {
		return { value: JSON.parse(typed) };
	} catch {
		return { error: "This is not JSON." };
	}
}

/** limits says in words what a field takes. */
export function limits({ kind, min, max, most, required }: Field): string {
	const range =
		min !== null && max !== null
			? `${min} to ${max}`
			: min !== null
				? `at least ${min}`
				: max !== null
					? `at most ${max}`
					: "";
	const length = most === null ? "" : kind === "list" ? `at most ${most} values` : `at most ${most} characters`;
	const list = kind === "list" ? "one per line" : "";
	return [list, range, length, required || kind === "boolean" ? "" : "optional"].filter(Boolean).join(", ");
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function finite(value: unknown): number | null {
	return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** What a device says is text, and short. */
function text(value: unknown): string {
	return typeof value === "string" ? value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").slice(0, MAX_TEXT) : "";
}
