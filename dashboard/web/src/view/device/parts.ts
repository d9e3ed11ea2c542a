/** part is the element that a card marks with data-NAME for the code that fills it. */
export function part(root: HTMLElement, name: string): HTMLElement {
	const found = root.querySelector<HTMLElement>(`[data-${name}]`);
	if (found === null) throw new Error(`a card lacks its part "${name}": Svelte file and code have drifted apart`);
	return found;
}

/** setText writes a text node, and only when it changes: the browser then lays nothing out anew. */
export function setText(element: HTMLElement, text: string): void {
	const node = element.firstChild;
	if (node instanceof Text && node === element.lastChild) {
		if (node.data !== text) node.data = text;
	} else element.textContent = text;
}
