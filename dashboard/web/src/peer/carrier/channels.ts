// The table of data channels, version 1 (section 7.1). Both ends make the same
// three, negotiated, so that none costs a round trip.

/** The table's version is in the label: ends with another label do not meet. */
export const LABEL = "telepath-1";

/** Lane is what a frame needs of a channel; it follows from its class alone. */
export type Lane = "reliable" | "live" | "brief";

export interface Channel {
	readonly id: number;
	readonly lane: Lane;
	readonly init: RTCDataChannelInit;
}

export const CHANNELS: readonly Channel[] = [
	{ id: 0, lane: "reliable", init: { ordered: true } }, // Signal, Call, Event
	{ id: 1, lane: "live", init: { ordered: false, maxPacketLifeTime: 250 } }, // Live
	{ id: 2, lane: "brief", init: { ordered: false, maxRetransmits: 1 } }, // Probe, Echo, Ack, Gap, Setpoint
];

/** createChannels makes all channels of the table on a new connection. */
export function createChannels(pc: RTCPeerConnection): RTCDataChannel[] {
	return CHANNELS.map(({ id, init }) => pc.createDataChannel(LABEL, { ...init, id, negotiated: true }));
}

/** laneOf finds a channel's lane by its id. */
export function laneOf(channel: RTCDataChannel): Lane | null {
	return CHANNELS.find((row) => row.id === channel.id)?.lane ?? null;
}
