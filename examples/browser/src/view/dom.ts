//! Elements by id, and made in one expression.

/** @throws {Error} the page has no such element. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found as E;
}

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `text` and `class` are what they say; false and undefined leave an attribute out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, class: classes, ...attributes }: Attributes = {},
  children: readonly Node[] = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = String(text);
  if (classes !== undefined) element.className = String(classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children);
  return element;
}

/** Writes to the page only what has changed. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
