// Whole frames as a viewer sends them, with the conn number of the path they
// go on (0: none).

import { appendSignal, type FromViewer } from "../signal";
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

export function signalFrame(conn: number, message: FromViewer): Uint8Array {
	return appendSignal(new Writer(), hop({ conn }), message).finish();
}
