// Whole frames as a viewer sends them, with the conn number of the path they
// go on (0: none).

import { appendSignal, type FromViewer } from "../signal";
import {
	appendAck,
	appendDrive,
	appendEcho,
	appendFrame,
	appendProbe,
	type Drive,
	type Echo,
	hop,
	LEVEL_RECEIVED,
	type Position,
	type Probe,
	TYPE_ACK,
	TYPE_COMMAND,
	TYPE_DRIVE,
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

/** What belongs to control goes in front of all else, at every hop. */
const urgent = (conn: number) => hop({ conn, priority: 3 });

/** commandFrame is of a Command's JSON. */
export function commandFrame(conn: number, body: Uint8Array): Uint8Array {
	return appendFrame(new Writer(), TYPE_COMMAND, urgent(conn), body).finish();
}

export function driveFrame(conn: number, drive: Drive): Uint8Array {
	return appendFrame(new Writer(), TYPE_DRIVE, urgent(conn), appendDrive(new Writer(), drive).finish()).finish();
}
