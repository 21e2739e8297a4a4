// An editable combobox with a list, as the ARIA Authoring Practices describe it.

import { make } from "../elements.js";

const SHOWN = 8;
const STEPS = new Map([
  ["ArrowDown", 1],
  ["ArrowUp", -1],
]);
const CHOOSES = new Set(["Enter", "Tab"]);

// Which of *count* options is active after one *step* (1 or -1) from *active*, where -1 is the input itself.
export function nextActive(active, step, count) {
  if (active < 0) return step > 0 ? 0 : count - 1;
  return (active + step + count) % count;
}

// Offers {text, category?} in *list* below *input*; *pick* is called with the one that is chosen.
export class Combobox {
  #input;
  #list;
  #pick;
  #items = [];
  #active = -1;

  constructor(input, list, pick) {
    this.#input = input;
    this.#list = list;
    this.#pick = pick;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    list.setAttribute("tabindex", "-1"); // Tab would stop at a list that scrolls, and what is typed then be lost
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the input keeps its focus
    input.addEventListener("keydown", (event) => this.#onKey(event));
    input.addEventListener("blur", () => this.close());
  }

  show(items) {
    this.#items = items.slice(0, SHOWN);
    this.#active = -1;
    this.#list.replaceChildren(...this.#items.map((item, at) => this.#option(item, at)));
    this.#list.hidden = !this.#items.length;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.show([]);
  }

  #option({ text, category }, at) {
    const option = make("li", { role: "option", id: `${this.#list.id}-${at}`, "aria-selected": "false" });
    option.append(make("span", {}, text));
    if (category) option.append(make("small", {}, category));
    option.addEventListener("click", () => this.#choose(at));
    return option;
  }

  #choose(at) {
    const item = this.#items[at];
    this.close();
    this.#pick(item);
  }

  #move(step) {
    this.#active = nextActive(this.#active, step, this.#items.length);
    const options = [...this.#list.children];
    for (const [at, option] of options.entries()) {
      option.setAttribute("aria-selected", String(at === this.#active));
    }
    options[this.#active].scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", options[this.#active].id);
  }

  #onKey(event) {
    if (!this.#items.length || event.isComposing) return;
    const step = STEPS.get(event.key);
    if (step) {
      event.preventDefault();
      this.#move(step);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation(); // a dialog around it stays open
      this.close();
    } else if (CHOOSES.has(event.key) && this.#active >= 0) {
      if (event.key === "Enter") event.preventDefault(); // the form is not sent yet
      this.#choose(this.#active);
    }
  }
}
