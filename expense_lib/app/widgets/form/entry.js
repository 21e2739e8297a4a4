// A form that is filled in and sent, with what became of it below: on the page, and in a dialog.

import { make, send, tell } from "../elements.js";
import { DateField } from "./dates.js";
import { Fields } from "./fields.js";
import { More } from "./more.js";
import { Outbox } from "./outbox.js";
import { Descriptions, suggestNames } from "./suggestions.js";

const RELOAD_AFTER = 3; // tries
const UNANSWERED = { kind: "waiting", text: "No answer yet. It is sent again; nothing is entered twice." };
const UNREACHED = {
  kind: "danger",
  text: "The app doesn't answer. If it was started anew, reload this page: what you typed is kept and sent then.",
  acts: [{ name: "reload", label: "Reload" }],
};

export class Entry {
  #model;
  #changed;
  #missed;

  // *changed* is called when what is typed or outstanding has changed, *missed* with the outcome when an entry was
  // refused that is in the form no more.
  constructor(model, { changed, missed }) {
    this.#model = model;
    this.#changed = () => {
      this.more.update();
      changed();
    };
    this.#missed = missed;
    this.outbox = new Outbox({
      send: (entry) => model.send({ do: "send", ...entry }),
      unanswered: (tries) => this.show(tries > RELOAD_AFTER ? UNREACHED : UNANSWERED),
      changed: this.#changed,
    });
    this.fields = new Fields(model.get("fields"));
    this.more = new More(this.fields, model.get("more"), this.#changed);
    this.date = new DateField(this.fields, this.#changed);
    const complete = (text) => send(model, { do: "complete", text }, () => {});
    this.descriptions = new Descriptions(this.fields, complete, this.#changed);
    suggestNames(this.fields, "category", () => model.get("categories"), this.#changed);
    suggestNames(this.fields, "account", () => model.get("accounts"), this.#changed);
    this.message = make("div", { role: "status", "aria-live": "polite" });
    this.#layOut(model.get("label"), model.get("submit"), model.get("more"));
  }

  #layOut(label, submit, more) {
    this.submitButton = make("button", { type: "submit", class: "primary" }, submit);
    this.buttons = make("div", { class: "buttons" }, this.submitButton, this.more.button);
    const plain = this.fields.names.filter((name) => !more.includes(name));
    this.form = make(
      "form",
      { novalidate: true, autocomplete: "off", "aria-label": label },
      ...this.fields.elementsOf(plain),
      this.buttons,
      this.more.region,
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.form.addEventListener("input", (event) => {
      this.fields.touched.add(event.target.id);
      this.#changed();
    });
  }

  show(outcome) {
    this.fields.showErrors(outcome.errors);
    this.more.showErrors(outcome.errors);
    tell(this.message, this.#model, outcome, { send: () => this.submit(), reload: () => location.reload() });
  }

  submit() {
    this.date.readWord();
    this.descriptions.cancel();
    if (!this.outbox.submit(this.fields.values)) return;
    this.fields.touched.clear();
    for (const each of this.message.querySelectorAll("button")) each.disabled = true; // they are of what was before
    this.fields.focusFirst();
  }

  // Take a message from Python.
  hear({ outcome, offer }) {
    if (offer) this.descriptions.show(offer);
    if (!outcome) return;
    if (outcome.id === null) this.#acted(outcome);
    else this.#answered(outcome);
  }

  // What became of what was sent.
  #answered(outcome) {
    const result = this.outbox.answer(outcome, this.fields.values);
    if (result === "ignored") return;
    if (result === "missed") {
      this.#missed(outcome);
      return;
    }
    this.show(outcome);
    this.fields.focusError(outcome.errors);
    if (outcome.kind === "added" && !this.outbox.outstanding.length) this.#beginNext();
  }

  // What became of a click on a button beside an outcome.
  #acted(outcome) {
    this.show(outcome);
    if (outcome.kind === "added") this.#beginNext();
    const { amount, description } = this.fields.inputs;
    if (outcome.fill && !amount.value && !description.value) this.fields.fill(outcome.fill);
    this.#changed();
    amount.focus();
  }

  #beginNext() {
    this.fields.beginNext();
    this.#changed();
  }
}
