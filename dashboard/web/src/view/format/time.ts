import { MINUS, NONE, number } from "./number";

/** milliseconds writes a short time: 0.4 ms, 3 ms, 1.2 s. */
export function milliseconds(ms: number | null): string {
	if (ms === null || !Number.isFinite(ms)) return NONE;
	const size = Math.abs(ms);
	if (size >= 10_000) return duration(size);
	if (size >= 1_000) return `${number(ms / 1_000, 1)} s`;
	return `${number(ms, size < 9.95 ? 1 : 0)} ms`;
}

/** duration writes a time in the two largest units that matter: 4 s, 1 min 12 s, 2 h 5 min, 3 d 4 h, 56 y 330 d. */
export function duration(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1_000));
	if (seconds < 60) return `${seconds} s`;
	if (seconds < 3_600) return pair(seconds, 60, "min", 1, "s");
	if (seconds < 86_400) return pair(seconds, 3_600, "h", 60, "min");
	if (seconds < 31_557_600) return pair(seconds, 86_400, "d", 3_600, "h");
	return pair(seconds, 31_557_600, "y", 86_400, "d");
}

/** difference writes the time between two others, with its sign: +2.310 s, −412 ms, +1 min 12 s. */
export function difference(ms: number): string {
	const size = Math.abs(ms);
	const text = size < 1_000 ? `${number(size, 0)} ms` : size < 60_000 ? `${number(size / 1_000, 3)} s` : duration(size);
	return (ms < 0 ? MINUS : "+") + text;
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
	const rest = Math.floor((seconds % large) / small);
	const first = `${Math.floor(seconds / large)} ${largeName}`;
	return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** clock writes a time of day on the reader's clock: 12:03:04. Another day than today's is named. */
export function clock(ms: number, now: number): string {
	if (!Number.isFinite(ms)) return NONE;
	const date = new Date(ms);
	if (Number.isNaN(date.getTime())) return NONE;
	const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
	return sameDay(date, new Date(now)) ? time : `${day(date, now)} ${time}`;
}

/** preciseClock is clock with milliseconds: 12:03:04.118. */
export function preciseClock(ms: number, now: number): string {
	if (!Number.isFinite(ms)) return NONE;
	const whole = Math.floor(ms);
	return `${clock(whole, now)}.${String(((whole % 1_000) + 1_000) % 1_000).padStart(3, "0")}`;
}

function sameDay(a: Date, b: Date): boolean {
	return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

function day(date: Date, now: number): string {
	const year = date.getFullYear() === new Date(now).getFullYear() ? "" : ` ${date.getFullYear()}`;
	return `${date.getDate()} ${MONTHS[date.getMonth()] ?? ""}${year},`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function two(value: number): string {
	return String(value).padStart(2, "0");
}
