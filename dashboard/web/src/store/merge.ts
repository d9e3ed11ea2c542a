import type { Columns } from "./ring";

/**
 * merge makes one of two columns that are in order by a key, times or seqs:
 * what is in both is there once. A row that is not followed up by number breaks
 * where one of the two breaks, and where numbers begin anew.
 */
export function merge(a: Columns, b: Columns, key: "times" | "seqs"): Columns {
	const n = a.seqs.length + b.seqs.length;
	const out = {
		seqs: new Float64Array(n),
		times: new Float64Array(n),
		values: new Float64Array(n),
		breaks: new Uint8Array(n),
	};
	let rows = 0;
	let i = 0;
	let j = 0;
	const put = (from: Columns, row: number) => {
		const seq = from.seqs[row] as number;
		if (rows > 0) {
			const before = out.seqs[rows - 1] as number;
			const follows = seq === before + 1;
			out.breaks[rows] = !follows && (from.breaks[row] === 1 || seq <= before) ? 1 : 0;
		}
		out.seqs[rows] = seq;
		out.times[rows] = from.times[row] as number;
		out.values[rows] = from.values[row] as number;
		rows++;
	};
	while (i < a.seqs.length || j < b.seqs.length) {
		if (j >= b.seqs.length) put(a, i++);
		else if (i >= a.seqs.length) put(b, j++);
		else if (a.seqs[i] === b.seqs[j] && (key === "seqs" || a.times[i] === b.times[j])) {
			put(a, i++);
			j++;
		} else if ((a[key][i] as number) <= (b[key][j] as number)) put(a, i++);
		else put(b, j++);
	}
	return {
		seqs: out.seqs.subarray(0, rows),
		times: out.times.subarray(0, rows),
		values: out.values.subarray(0, rows),
		breaks: out.breaks.subarray(0, rows),
	};
}
