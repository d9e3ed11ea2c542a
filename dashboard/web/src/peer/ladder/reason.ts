/** REASONS say why use is what it is, in words for people. */
export const REASONS = {
	none: "no path is proven",
	only: "the only path so far",
	best: "the best proven path",
	trial: "a better path is on trial",
	held: "a better path failed before and is on a longer trial",
	silent: "nothing was heard lately",
	unheard: "the other end hears nothing on it",
	fell: "a better path stopped answering",
} as const;

export type Reason = (typeof REASONS)[keyof typeof REASONS];
