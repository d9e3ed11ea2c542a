import { contract } from "./contract.testing";

// A WebSocket client is in Node from 22 on, and behind a flag before (vite.config.ts sets it).
if (typeof WebSocket !== "undefined") contract({ rung: "ws", codes: true });
contract({ rung: "sse", codes: false });
contract({ rung: "poll", codes: false });
