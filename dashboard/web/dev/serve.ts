import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";

/** The policy that the real server sends; looking at the views under it shows what it would break. */
export const POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self'",
	"connect-src 'self'",
	"worker-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types default svelte-trusted-html",
].join("; ");

const TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".css": "text/css",
	".svg": "image/svg+xml",
};

/** serve hands out a folder on a free port of this machine. */
export function serve(root: string): Promise<{ url: string; server: Server }> {
	const server = createServer(async (request, response) => {
		const path = new URL(request.url ?? "/", "http://localhost").pathname;
		if (path === "/v1/login") {
			response.writeHead(401, { "Content-Type": "application/json" });
			response.end(JSON.stringify({ code: "unauthorized", reason: "This server wants a token.", remedy: "" }));
			return;
		}
		const file = join(root, normalize(path === "/" ? "/index.html" : path));
		try {
			const body = await readFile(file);
			response.writeHead(200, {
				"Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
				"Content-Security-Policy": POLICY,
			});
			response.end(body);
		} catch {
			response.writeHead(404).end();
		}
	});
	return new Promise((resolve) => {
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			resolve({ url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/`, server });
		});
	});
}
