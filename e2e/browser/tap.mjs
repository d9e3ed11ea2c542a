// What runs inside the page before its own scripts: a tap on the port between Worker and page (dashboard/web/src/port.ts).
// It sees every message before the page does and reports it as events, in the form of `telepath view --json`.

/**
 * Handed to addInitScript: it must not use anything from outside. `window.report` takes a list of events. Telling of each sample
 * takes the page's thread a while, at a thousand a second: who judges by something else says that he needs none.
 */
export function tap({ samples: wanted }) {
	const names = new Map(); // stream number → name and class
	let pending = [];

	const emit = (event) => {
		pending.push({ ...event, at_ms: Date.now() });
		if (pending.length === 1) setTimeout(flush, 20);
	};
	const flush = () => {
		const events = pending;
		pending = [];
		window.report(events);
	};

	emit({ type: "load", origin_ms: performance.timeOrigin });

	const samples = ({ parts, data, texts }) => {
		for (const part of parts) {
			const stream = names.get(part.stream) ?? { name: `#${part.stream}`, class: "" };
			for (let i = 0; i < part.n; i++) {
				emit({
					type: "sample",
					stream: stream.name,
					class: stream.class,
					epoch: part.epoch,
					seq: data[part.seq + i],
					t: data[part.t + i] / 1000,
					value: part.text >= 0 ? texts[part.text + i] : data[part.v + i],
					retained: part.retainedMs !== null,
					late: part.late,
					restored: part.restored,
					past: part.past === true,
					path: part.rung ?? "",
				});
			}
		}
	};

	const note = (message) => {
		switch (message?.type) {
			case "streams":
				for (const s of message.streams) names.set(s.id, { name: s.name, class: s.class });
				break;
			case "samples":
				if (wanted) samples(message);
				break;
			case "gap":
				emit({
					type: "gap",
					stream: names.get(message.stream)?.name ?? "",
					epoch: message.epoch,
					from: message.from,
					to: message.to ?? 0,
					reason: message.reason,
					restored: message.restored === true,
				});
				break;
		}
	};

	const Native = window.Worker;
	window.Worker = class extends Native {
		constructor(...args) {
			super(...args);
			this.addEventListener("message", (event) => note(event.data));
		}
	};

	// What the badge says, in its own words, each time it changes.
	let badge = "";
	const look = () => {
		const text = window.findBadge?.() ?? "";
		if (text !== badge) {
			badge = text;
			emit({ type: "badge", text });
		}
	};
	setInterval(look, 50);
}
