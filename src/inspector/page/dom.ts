/**
 * Making elements. Text goes in as text only: nothing that a file or an audit says is ever read as
 * markup.
 */

/** What an element is made with. */
export interface ElementOptions {
  readonly class?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** An element with its children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { class: className, text, attributes = {} }: ElementOptions = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  if (className !== undefined) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A button that says what it does. */
export function makeButton(
  text: string,
  label: string,
  press: () => void,
  className = 'button',
): HTMLButtonElement {
  const attributes = { type: 'button', 'aria-label': label, title: label };
  const button = make('button', { class: className, text, attributes });
  button.addEventListener('click', press);
  return button;
}

/** Sets a text only where it changed, so that nothing is laid out again for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an attribute only where it changed; `undefined` removes it. */
export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Scrolls a row of tabs, and nothing else, so that one of them is seen. */
export function bringIntoView(tab: HTMLElement): void {
  const row = tab.parentElement;
  if (row === null) return;
  const [left, right] = [tab.offsetLeft - row.offsetLeft, row.clientWidth - tab.offsetWidth];
  if (left < row.scrollLeft || left > row.scrollLeft + right) row.scrollLeft = left - right / 2;
}
