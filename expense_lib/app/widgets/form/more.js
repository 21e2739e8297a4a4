// A button that shows and hides the fields that are seldom filled in. What they hold is sent whether they are shown or
// not, so the button says it while they are hidden.

import { button, make } from "../elements.js";

export class More {
  #fields;
  #changed;
  #names;
  #isOpen = false;

  // *changed* is called when a person opens or closes it.
  constructor(fields, names, changed) {
    this.#fields = fields;
    this.#names = names;
    this.#changed = changed;
    this.region = make("div", { class: "more", id: "more" }, ...fields.elementsOf(names));
    this.button = button("", () => this.#toggle(), { class: "quiet", "aria-controls": "more" });
    this.update();
  }

  get isOpen() {
    return this.#isOpen;
  }

  set isOpen(isOpen) {
    this.#isOpen = isOpen;
    this.update();
  }

  // What the hidden fields hold may have changed.
  update() {
    const others = this.#names.filter((name) => name !== "account"); // which has a pill
    const texts = others.map((name) => this.#fields.inputs[name].value.trim()).filter(Boolean);
    this.region.hidden = !this.#isOpen;
    this.button.hidden = !this.#names.length;
    this.button.setAttribute("aria-expanded", String(this.#isOpen));
    this.button.textContent = this.#isOpen || !texts.length ? "More" : `More: ${texts.join(", ")}`;
  }

  // Show the fields if one of them is wrong.
  showErrors(errors = {}) {
    if (this.#names.some((name) => errors[name])) this.isOpen = true;
  }

  // Show the fields and go to one.
  goTo(name) {
    this.isOpen = true;
    this.#fields.inputs[name].focus();
    this.#changed();
  }

  #toggle() {
    if (!this.#isOpen) {
      this.goTo(this.#names[0]);
      return;
    }
    this.isOpen = false;
    this.#changed();
  }
}
