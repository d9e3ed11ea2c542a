import type { Env } from "../env";
import type { HttpRung, LinkCarrier, LinkCarrierEvents, LinkRequest } from "./link-carrier";
import { PollCarrier } from "./poll";
import { SseCarrier } from "./sse";
import { WsCarrier } from "./ws";

/** Dial begins one carrier of a link. It throws where the address is none, or the page's policy forbids it. */
export type Dial = (rung: HttpRung, request: LinkRequest, events: LinkCarrierEvents, env: Env) => LinkCarrier;

const CARRIERS = { ws: WsCarrier, sse: SseCarrier, poll: PollCarrier };

/** dial is the browser's own. */
export const dial: Dial = (rung, request, events, env) => new CARRIERS[rung](request, events, env);
