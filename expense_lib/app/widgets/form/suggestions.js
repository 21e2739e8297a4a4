// What is suggested while a category, an account or a description is typed, and the category that a known description
// has.

import { Combobox } from "./combobox.js";

const COMPLETE_AFTER_MS = 120; // debounce

// Those of *names* that contain *text*, the ones that begin with it first; none where nothing is left to choose.
export function matching(names, text) {
  const typed = text.trim().toLowerCase();
  if (!typed) return [];
  const found = names.filter((name) => name.toLowerCase().includes(typed));
  if (found.length === 1 && found[0] === text) return [];
  const begins = (name) => name.toLowerCase().startsWith(typed);
  return [...found.filter(begins), ...found.filter((name) => !begins(name))];
}

// The one of *items* whose text is *text* but for case.
export function known(items, text) {
  return items.find((item) => item.text.toLowerCase() === text.toLowerCase());
}

// Suggests those of *known()* in the field of this *name*: "category" or "account".
export function suggestNames(fields, name, known, changed) {
  const { input, list } = fields.parts[name];
  const setTyped = () => {
    if (name === "category") fields.categoryTyped = input.value !== "";
    if (name === "category" && input.value) fields.suggestCategory("");
  };
  const combobox = new Combobox(input, list, (item) => {
    input.value = item.text;
    setTyped();
    changed();
  });
  input.addEventListener("focus", () => input.select()); // typing replaces what was brought
  input.addEventListener("input", () => {
    setTyped();
    combobox.show(matching(known(), input.value).map((text) => ({ text })));
  });
}

// Suggests descriptions, which the ledger knows: *complete* asks for those of a text, and `show` takes the answer.
export class Descriptions {
  #fields;
  #combobox;
  #timer;

  constructor(fields, complete, changed) {
    const { input, list } = fields.parts.description;
    this.#fields = fields;
    this.#combobox = new Combobox(input, list, (item) => {
      input.value = item.text;
      fields.bringCategory(item.category);
      changed();
    });
    input.addEventListener("input", () => {
      const text = input.value.trim();
      this.cancel();
      fields.bringCategory(""); // which was of another text
      if (text) this.#timer = setTimeout(() => complete(text), COMPLETE_AFTER_MS);
      else this.#combobox.close();
    });
  }

  // An answer to a text that was changed meanwhile is none.
  show({ text, items }) {
    if (text !== this.#fields.inputs.description.value.trim()) return;
    const one = known(items, text);
    if (one && !this.#fields.inputs.category.value) this.#fields.suggestCategory(one.category);
    const isComplete = items.length === 1 && one;
    this.#combobox.show(this.#fields.isFocused("description") && !isComplete ? items : []);
  }

  cancel() {
    clearTimeout(this.#timer);
  }
}
