// Whole frames as a viewer sends them, with the conn number of the path they
// go on (0: none).

import {
	appendAck,
	appendEcho,
	appendFrame,
	appendProbe,
	type Echo,
	hop,
	LEVEL_RECEIVED,
	type Position,
	type Probe,
	TYPE_ACK,
	TYPE_SIGNAL,
	Writer,
} from "../wire";

export function probeFrame(conn: number, probe: Probe): Uint8Array {
	return appendProbe(new Writer(), hop({ conn }), probe).finish();
}

export function echoFrame(conn: number, echo: Echo): Uint8Array {
	return appendEcho(new Writer(), hop({ conn }), echo).finish();
}

export function ackFrame(conn: number, positions: Position[]): Uint8Array {
	const body = appendAck(new Writer(), LEVEL_RECEIVED, positions).finish();
	return appendFrame(new Writer(), TYPE_ACK, hop({ conn }), body).finish();
}

export function signalFrame(conn: number, message: object): Uint8Array {
	const body = new TextEncoder().encode(JSON.stringify(message));
	return appendFrame(new Writer(), TYPE_SIGNAL, hop({ conn }), body).finish();
}
