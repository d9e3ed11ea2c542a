import { expect, test } from "vitest";
import { base64url, offers } from "./subprotocol";

test("base64url has UTF-8, no padding and no characters that a header refuses", () => {
	expect(base64url("a")).toBe("YQ");
	expect(base64url("ü?>ÿ")).toBe("w7w_PsO_");
});

test("token and open are elements behind the real protocol", () => {
	const { protocols, opened } = offers("secret", { type: "open" });
	expect(protocols).toEqual(["telepath.v1", "token.c2VjcmV0", "open.eyJ0eXBlIjoib3BlbiJ9"]);
	expect(opened).toBe(true);
});

test("no token, no element; an open that does not fit is left for later", () => {
	expect(offers("", null).protocols).toEqual(["telepath.v1"]);
	const { protocols, opened } = offers("", { want: "x".repeat(4000) });
	expect(protocols).toEqual(["telepath.v1"]);
	expect(opened).toBe(false);
});
