/** absent says why no hand can be at this page now, for people; "": one can. */
export function absent(): string {
	if (document.hidden) return "the page was hidden";
	if (!document.hasFocus()) return "the page lost the focus";
	if (document.querySelector("dialog:modal") !== null) return "a dialog was opened";
	return "";
}

/** watchAbsence calls when a hand can no longer be there; the result ends that. */
export function watchAbsence(release: (why: string) => void): () => void {
	const blur = () => release("the page lost the focus");
	const hide = () => release("the page was hidden");
	const visibility = () => {
		if (document.hidden) hide();
	};
	const dialogs = () => {
		if (document.querySelector("dialog:modal") !== null) release("a dialog was opened");
	};
	// A dialog that is shown takes the focus.
	document.addEventListener("focusin", dialogs);
	document.addEventListener("visibilitychange", visibility);
	window.addEventListener("blur", blur);
	window.addEventListener("pagehide", hide);
	return () => {
		document.removeEventListener("focusin", dialogs);
		document.removeEventListener("visibilitychange", visibility);
		window.removeEventListener("blur", blur);
		window.removeEventListener("pagehide", hide);
	};
}
