// The inputs of an expense: what was typed into them, by whom, and what is wrong with it.

import { button, make } from "../elements.js";

const FIELDS = {
  amount: { label: "Amount", inputmode: "decimal", autocapitalize: "off" },
  description: { label: "Description", autocapitalize: "sentences", suggests: true },
  category: { label: "Category", autocapitalize: "sentences", suggests: true },
  date: {
    label: "Date",
    inputmode: "numeric",
    autocapitalize: "off",
    placeholder: "YYYY-MM-DD",
    title: "\u2193 the day before, \u2191 the day after",
  },
  account: { label: "Account", autocapitalize: "words", suggests: true },
  note: { label: "Note", autocapitalize: "sentences" },
  tags: { label: "Tags", autocapitalize: "off", placeholder: "trip, kids" },
};
// What an expense has in common with the next, until a person says otherwise.
const KEPT = new Set(["date", "account"]);
const ALONE = new Set([...KEPT, "refund"]); // says nothing yet of an expense

function errorOf(name) {
  return make("p", { class: "wrong", id: `wrong-${name}`, role: "alert", hidden: true });
}

function textField(name) {
  const { label, suggests, ...attributes } = FIELDS[name];
  const error = errorOf(name);
  const input = make("input", {
    type: "text",
    id: name,
    name: `expense-${name}`,
    ...attributes,
    enterkeyhint: "done",
    autocomplete: "off",
    "aria-describedby": error.id,
  });
  const box = make("div", { class: "box" }, input);
  const list = make("ul", {
    class: "offered",
    role: "listbox",
    id: `offered-${name}`,
    "aria-label": "Suggestions",
    hidden: true,
  });
  if (suggests) box.append(list);
  const element = make("div", { class: `field ${name}` }, make("label", { for: name }, label), box, error);
  return { element, input, box, list, error };
}

function refundField() {
  const error = errorOf("refund");
  const input = make("input", { type: "checkbox", id: "refund", "aria-describedby": error.id });
  const label = make("label", { for: "refund" }, input, " Refund");
  return { element: make("div", { class: "field check" }, label, error), input, error };
}

// The property of an *input* that holds what was entered.
function property(input) {
  return input.type === "checkbox" ? "checked" : "value";
}

function blank(input) {
  input[property(input)] = input.type === "checkbox" ? false : "";
}

export class Fields {
  // A category or date that the app put in gives way to the next one that it knows; what a person typed stays.
  categoryTyped = false;
  dateTyped = false;
  #changed;
  #ghost = ""; // the category that is likely meant: shown, and not sent unless it is accepted

  // *changed* is called when a category was accepted.
  constructor(names, changed) {
    this.names = names;
    this.#changed = changed;
    this.parts = {};
    this.inputs = {};
    for (const name of names) {
      this.parts[name] = name === "refund" ? refundField() : textField(name);
      this.inputs[name] = this.parts[name].input;
    }
    this.chip = button("", () => this.#accept(), { class: "pill", tabindex: "-1", hidden: true });
    this.parts.category.box.after(this.chip);
    this.inputs.category.addEventListener("keydown", (event) => this.#onKey(event));
  }

  // Nothing is typed but what stays for the next expense.
  get isBlank() {
    return this.names.every((name) => ALONE.has(name) || !this.inputs[name].value.trim());
  }

  elementsOf(names) {
    return names.map((name) => this.parts[name].element);
  }

  get values() {
    return Object.fromEntries(
      this.names.map((name) => [name, this.inputs[name][property(this.inputs[name])]]),
    );
  }

  fill(values) {
    for (const [name, value] of Object.entries(values)) {
      const input = this.inputs[name];
      if (input) input[property(input)] = value;
    }
  }

  // What came back and is a person's own: nothing that the app knows takes its place.
  putBack(values) {
    this.fill(values);
    this.categoryTyped = values.category !== "";
    this.dateTyped = true;
    this.suggestCategory("");
  }

  // Blank, with only the fields *shown*.
  reset(shown) {
    for (const name of this.names) {
      this.parts[name].element.hidden = !shown.includes(name);
      blank(this.inputs[name]);
    }
  }

  // After an expense was sent the next one begins.
  beginNext() {
    for (const name of this.names) if (!KEPT.has(name)) blank(this.inputs[name]);
    this.categoryTyped = false;
    this.suggestCategory("");
  }

  // The category of a description that was picked, which stands beside it there; another text takes it away again.
  bringCategory(category) {
    if (this.categoryTyped) return;
    this.inputs.category.value = category;
    this.suggestCategory("");
  }

  // Show the category that is likely meant, in grey; "" for none. The ledger decides what is not typed.
  suggestCategory(category) {
    this.#ghost = this.categoryTyped ? "" : category;
    this.inputs.category.setAttribute("placeholder", this.#ghost);
    this.chip.textContent = this.#ghost;
    this.chip.hidden = !this.#ghost;
  }

  #accept() {
    this.inputs.category.value = this.#ghost;
    this.suggestCategory("");
    this.categoryTyped = true;
    this.#changed();
  }

  #onKey(event) {
    if (!this.#ghost || this.inputs.category.value || event.shiftKey) return;
    if (event.key === "Tab" || event.key === "ArrowRight") this.#accept();
  }

  showErrors(errors = {}) {
    for (const name of this.names) {
      const text = errors[name];
      const { error, input } = this.parts[name];
      error.textContent = text ?? "";
      error.hidden = !text;
      input.setAttribute("aria-invalid", String(Boolean(text)));
    }
  }

  // Whether there is one.
  focusError(errors = {}) {
    const wrong = this.names.find((name) => errors[name]);
    if (wrong) this.inputs[wrong].focus();
    return Boolean(wrong);
  }

  focusFirst() {
    const first = this.inputs[this.names.find((name) => !this.parts[name].element.hidden)];
    first.focus();
    first.select();
  }

  isFocused(name) {
    const input = this.inputs[name];
    return input.getRootNode().activeElement === input;
  }
}
