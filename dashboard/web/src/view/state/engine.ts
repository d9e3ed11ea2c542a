import type { FromWorker, ToWorker } from "../../port";

/** Engine is what moves the data, as the views know it: a port with messages. */
export interface Engine {
	send(message: ToWorker): void;
	/** listen names the one listener. */
	listen(listener: (message: FromWorker) => void): void;
	dispose(): void;
}
