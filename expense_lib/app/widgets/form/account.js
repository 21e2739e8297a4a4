// The account that is remembered for the next expense, as a pill: seen while its field is not. A click, or Enter, goes
// to the field; the arrow keys go through the known accounts; Delete, or the cross, is for none.

import { button, make } from "../elements.js";

const ACCOUNTS_ON = new Map([
  ["ArrowDown", 1],
  ["ArrowUp", -1],
]);
const CLEARING = new Set(["Delete", "Backspace"]);

export class AccountPill {
  #input;
  #known;
  #changed;

  // *known* gives the accounts to go through, *open* shows the field.
  constructor(input, { known, open, changed }) {
    this.#input = input;
    this.#known = known;
    this.#changed = changed;
    this.name = button("", open, { class: "pill", title: "Account: \u2191 \u2193 another, Delete for none" });
    this.cross = button("\u00d7", () => this.#set(""), {
      class: "pill",
      "aria-label": "No account",
      tabindex: "-1",
    });
    this.element = make("span", { class: "pills", hidden: true }, this.name, this.cross);
    this.name.addEventListener("keydown", (event) => this.#onKey(event));
  }

  update(isFieldShown) {
    const account = this.#input.value.trim();
    this.element.hidden = isFieldShown || !account;
    this.name.textContent = account;
    this.name.setAttribute("aria-label", account && `Account ${account}`);
  }

  #set(account) {
    this.#input.value = account;
    this.#changed();
  }

  #onKey(event) {
    if (CLEARING.has(event.key)) this.#set("");
    else if (ACCOUNTS_ON.has(event.key)) this.#set(this.#next(ACCOUNTS_ON.get(event.key)));
    else return;
    event.preventDefault();
  }

  #next(step) {
    const known = this.#known();
    const at = known.indexOf(this.#input.value.trim());
    return known.length ? known[(at + step + known.length) % known.length] : this.#input.value;
  }
}
