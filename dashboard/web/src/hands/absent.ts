/** absent says why no hand can be at this page now, for people; "": one can. */
export function absent(): string {
	if (document.hidden) return "the page was hidden";
	if (!document.hasFocus()) return "the page lost focus";
	if (document.querySelector("dialog:modal") !== null) return "a dialog was opened";
	return "";
}

/** watchAbsence calls when a hand can no longer be there; the result ends that. */
export function watchAbsence(release: (why: string) => void): () => void {
	const blur = () => release("the page lost focus");
	const hide = () => release("the page was hidden");
	const visibility = () => {
		if (document.hidden) hide();
	};
	const dialogs = () => {
		if (document.querySelector("dialog:modal") !== null) release("a dialog was opened");
	};
	// These have the keyboard to themselves: that a key is let go meanwhile, nobody is told.
	const menu = (event: Event) => {
		if (!event.defaultPrevented) release("a menu was opened");
	};
	const drag = (event: Event) => {
		if (!event.defaultPrevented) release("something was dragged");
	};
	const list = ({ target }: Event) => {
		if (target instanceof Element && target.closest("select") !== null) release("a list was opened");
	};
	// A dialog that is shown takes the focus.
	document.addEventListener("focusin", dialogs);
	document.addEventListener("visibilitychange", visibility);
	window.addEventListener("blur", blur);
	window.addEventListener("pagehide", hide);
	window.addEventListener("contextmenu", menu);
	window.addEventListener("dragstart", drag);
	window.addEventListener("pointerdown", list);
	window.addEventListener("focusin", list);
	return () => {
		document.removeEventListener("focusin", dialogs);
		document.removeEventListener("visibilitychange", visibility);
		window.removeEventListener("blur", blur);
		window.removeEventListener("pagehide", hide);
		window.removeEventListener("contextmenu", menu);
		window.removeEventListener("dragstart", drag);
		window.removeEventListener("pointerdown", list);
		window.removeEventListener("focusin", list);
	};
}
