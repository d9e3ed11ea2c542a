/** KINDS are what samples can be, in the order of their numbers in a payload's form. */
export const KINDS = ["number", "bool", "text", "bytes"] as const;

/** Kind is what the samples of a stream are. */
export type Kind = (typeof KINDS)[number];
