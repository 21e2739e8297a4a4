// The form in a dialog, which Python opens with {ask} and closes with {close}. It is on the page while it is open,
// and only then. It stays open until what is in it is written.

import { deed, make, send } from "../elements.js";
import { Entry } from "./entry.js";
import { newId, same } from "./outbox.js";

const CHANGED_SINCE = { kind: "added", text: "Saved. What you changed since then is not saved yet." };

export class Dialog {
  #el;
  #acts = new Map();
  #title = make("h2", { class: "title" });
  #lines = make("ol", { class: "lines", hidden: true });

  constructor(model, el) {
    this.#el = el;
    this.entry = new Entry(model, { changed: () => {}, submit: () => this.#submit() });
    this.element = make("dialog", { "aria-label": model.get("label") });
    for (const { name, label } of model.get("acts")) {
      this.#acts.set(
        name,
        deed(label, () => this.#act(model, name)),
      );
    }
    this.entry.buttons.append(...this.#acts.values());
    this.element.append(this.#title, this.entry.form, this.entry.message, this.#lines);
    this.element.addEventListener("close", () => {
      this.entry.outbox.clear();
      this.element.remove();
    });
  }

  hear({ outcome, offer, ask, close, id = null }) {
    if (offer) this.entry.descriptions.show(offer);
    if (outcome) this.#refused(outcome);
    if (ask) this.#open(ask);
    if (close) this.#written(id);
  }

  // Unless it is the second half of a double click.
  #submit() {
    const { outbox, fields } = this.entry;
    const last = outbox.outstanding.at(-1);
    if (last && same(last.values, fields.values)) return;
    outbox.push({ id: newId(), values: fields.values });
    fields.focusFirst();
  }

  // It is open for one thing at a time, so a refusal is about that, whatever was typed meanwhile.
  #refused(outcome) {
    const { outbox, fields } = this.entry;
    const sent = outbox.answer(outcome.id);
    if (outcome.id !== null && !sent) return;
    this.entry.show(outcome);
    if (!sent || same(sent.values, fields.values)) fields.focusError(outcome.errors);
  }

  // The message *id* is written; null where none was sent, as after a deletion. An answer to a message of an earlier
  // dialog closes none.
  #written(id) {
    const { outbox, fields } = this.entry;
    const written = id === null ? null : outbox.answer(id);
    if (id !== null && !written) return;
    if (!written || (!outbox.outstanding.length && same(written.values, fields.values))) this.element.close();
    else if (!outbox.outstanding.length) this.entry.show(CHANGED_SINCE);
  }

  #act(model, name) {
    if (name === "cancel") this.element.close();
    else send(model, { do: name }, (text) => this.entry.show({ kind: "danger", text }));
  }

  #open({ title, submit, values, fields, lines, acts }) {
    this.#title.textContent = title;
    this.element.setAttribute("aria-label", title);
    this.entry.submitButton.textContent = submit;
    this.entry.outbox.clear();
    this.entry.fields.reset(fields);
    this.entry.fields.fill(values);
    this.entry.fields.categoryTyped = true; // a description that is corrected brings no category
    this.entry.show({});
    this.entry.update();
    this.#lines.replaceChildren(...lines.map((line) => make("li", {}, line)));
    this.#lines.hidden = !lines.length;
    for (const [name, button] of this.#acts) button.hidden = !acts.includes(name);
    if (!this.element.isConnected) this.#el.append(this.element);
    if (!this.element.open) this.element.showModal();
    this.entry.fields.focusFirst();
  }
}
