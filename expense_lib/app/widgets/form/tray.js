// What is to be decided, one by one, below the form: what was typed and is not recorded, and what the ledger asks.
// Nothing waits for it. Enter takes the first choice of the item that has the focus, Shift+Enter the second; arrows
// lead from item to item and from choice to choice.

import { deed, make } from "../elements.js";

const UNCOUNTED = new Set(["remark", "waiting"]);
const LINES = new Map([
  ["ArrowDown", 1],
  ["ArrowUp", -1],
]);
const CHOICES = new Map([
  ["ArrowRight", 1],
  ["ArrowLeft", -1],
]);

function headingOf(items, beyond) {
  const count = items.filter((item) => !UNCOUNTED.has(item.kind)).length + beyond;
  if (count) return `${count} to decide`;
  return items.some((item) => item.kind === "remark") ? "To look at" : "Not answered yet";
}

export class Tray {
  #act;
  #leave;
  #lines = new Map(); // by the item's id: its element, and what it shows
  #heading = make("h2", { class: "title", id: "tray-title" });
  #list = make("ul", { "aria-live": "polite", "aria-relevant": "additions" });
  #more;

  // *act* is called with an item and the act that was chosen, *more* to show more of what the ledger asks, *leave* when
  // the focus has nowhere to go in here.
  constructor({ act, more, leave }) {
    this.#act = act;
    this.#leave = leave;
    this.#more = deed("", more, { class: "quiet", hidden: true });
    this.element = make(
      "section",
      { class: "tray", "aria-labelledby": "tray-title", hidden: true },
      this.#heading,
      this.#list,
      this.#more,
    );
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  // Show these items, {id, kind, title, text, acts}, and that there are so many *beyond* them. Those that stay keep
  // their elements, and so the focus.
  show(items, beyond) {
    const before = [...this.#list.children];
    const focused = before.findIndex((line) => this.#hasFocus(line));
    const isOnMore = this.#more.getRootNode().activeElement === this.#more;
    this.#lay(items);
    this.#heading.textContent = items.length ? headingOf(items, beyond) : "";
    this.#more.hidden = !beyond;
    this.#more.textContent = `${beyond} more to decide`;
    this.element.hidden = !items.length;
    if (focused >= 0 && !before[focused].isConnected) this.#focusAt(Math.min(focused, items.length - 1));
    if (isOnMore && items.length > before.length) this.#focusAt(before.length); // the first that came
  }

  #lay(items) {
    const kept = new Map(items.map((item) => [item.id, JSON.stringify(item)]));
    for (const [id, { line, shown }] of this.#lines) {
      if (kept.get(id) === shown) continue;
      line.remove();
      this.#lines.delete(id);
    }
    for (const [at, item] of items.entries()) {
      if (!this.#lines.has(item.id)) this.#add(item, kept.get(item.id), items[at - 1]);
    }
  }

  // Go to the first item, if there is one.
  focus() {
    const [first] = this.#list.children;
    first?.focus();
  }

  #hasFocus(line) {
    return line.getRootNode().activeElement?.closest("li") === line;
  }

  #focusAt(at) {
    const line = this.#list.children[at];
    if (line) line.focus();
    else this.#leave();
  }

  // Add its line below that of *previous*.
  #add(item, shown, previous) {
    const buttons = item.acts.map((act) => deed(act.label, () => this.#act(item, act)));
    const words = make(
      "span",
      { class: "words" },
      make("strong", { dir: "auto" }, item.title ?? ""),
      " ",
      make("span", { class: "why" }, item.text),
    );
    const line = make(
      "li",
      { class: item.kind, tabindex: "0" },
      words,
      make("div", { class: "acts" }, ...buttons),
    );
    this.#lines.set(item.id, { line, shown, item });
    if (previous) this.#lines.get(previous.id).line.after(line);
    else this.#list.prepend(line);
  }

  #onKey(event) {
    const line = event.target.closest("li");
    if (!line || event.isComposing) return;
    if (event.key === "Enter") this.#onEnter(event, line);
    else if (LINES.has(event.key)) this.#step(event, line);
    else if (CHOICES.has(event.key)) this.#choose(event, line);
    else if (event.key === "Escape" || this.#isTyped(event)) this.#leave(); // what is typed then is the next entry
  }

  #onEnter(event, line) {
    if (event.target !== line) return; // a button does what it says
    event.preventDefault();
    if (event.repeat) return; // a key that is held decides one
    const { item } = [...this.#lines.values()].find((each) => each.line === line);
    const act = item.acts[event.shiftKey ? 1 : 0];
    if (act && !(event.shiftKey && act.name === "drop")) this.#act(item, act);
  }

  #step(event, line) {
    event.preventDefault();
    const lines = [...this.#list.children];
    const at = lines.indexOf(line) + LINES.get(event.key);
    if (at < 0) this.#leave();
    else lines[at]?.focus();
  }

  #choose(event, line) {
    event.preventDefault();
    const buttons = [...line.querySelectorAll("button")];
    const at = buttons.indexOf(event.target) + CHOICES.get(event.key);
    (buttons[at] ?? line).focus();
  }

  #isTyped({ key, ctrlKey, metaKey, altKey }) {
    return key.length === 1 && key !== " " && !ctrlKey && !metaKey && !altKey;
  }
}
