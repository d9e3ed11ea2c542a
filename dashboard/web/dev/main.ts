import { mount } from "svelte";
import "uplot/dist/uPlot.min.css";
import "../src/app.css";
import { applyTheme, storedTheme } from "../src/theme";
import AppView from "../src/view/App.svelte";
import { App } from "../src/view/state/app.svelte";
import { MadeUp } from "./made-up";
import { scene } from "./scenes";

const query = new URLSearchParams(location.search);
const name = query.get("scene") ?? "device";
const target = document.getElementById("app");
if (target) {
	applyTheme(storedTheme());
	const chosen = scene(name, query);
	if (!location.hash && chosen.hash) location.hash = chosen.hash;
	// A login is really asked for; all other scenes are of a server by this name.
	const base = name === "login" ? new URL("/", location.href) : new URL("http://192.168.1.20:8080/");
	const engine = new MadeUp(chosen);
	const app = new App(engine, base);
	Object.assign(globalThis, { app, engine });
	mount(AppView, { target, props: { app } });
}
