import { mount } from "svelte";
import "uplot/dist/uPlot.min.css";
import "./app.css";
import { startEngine } from "./engine/start";
import { applyTheme, storedTheme } from "./theme";
import AppView from "./view/App.svelte";
import { App } from "./view/state/app.svelte";
import { trustWorker } from "./view/state/trusted";

trustWorker();
applyTheme(storedTheme());
const target = document.getElementById("app");
if (target) {
	const base = new URL(".", location.href);
	const engine = startEngine();
	const app = new App(engine, base);
	const draw = () => mount(AppView, { target, props: { app } });
	if (app.login === null) void engine.begun.then(draw);
	else draw();
}
