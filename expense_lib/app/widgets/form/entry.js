// A form that is filled in and sent, with what became of it below: on the page, and in a dialog.

import { make, send, tell } from "../elements.js";
import { AccountPill } from "./account.js";
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

// What of an entry Python is to know.
function messageOf({ id, values, as, expense, changes, version }) {
  return { do: "send", id, values, as, expense, changes, version };
}

export class Entry {
  #model;
  #changed;
  #submit;

  // *changed* is called when what is typed has changed, *submit* when a person submits it.
  constructor(model, { changed, submit }) {
    this.#model = model;
    this.#submit = submit;
    this.#changed = () => {
      this.update();
      changed();
    };
    this.outbox = new Outbox({
      send: (entry) => model.send(messageOf(entry)),
      unanswered: (tries) => this.show(tries > RELOAD_AFTER ? UNREACHED : UNANSWERED),
    });
    this.fields = new Fields(model.get("fields"), this.#changed);
    this.more = new More(this.fields, model.get("more"), this.#changed);
    this.account = new AccountPill(this.fields.inputs.account, {
      known: () => model.get("accounts"),
      open: () => this.more.goTo("account"),
      changed: this.#changed,
    });
    this.date = new DateField(this.fields, this.#changed, !model.get("dialog"));
    const complete = (text) => send(model, { do: "complete", text }, () => {});
    this.descriptions = new Descriptions(this.fields, complete, this.#changed);
    suggestNames(this.fields, "category", () => model.get("categories"), this.#changed);
    suggestNames(this.fields, "account", () => model.get("accounts"), this.#changed);
    this.message = make("div", { role: "status", "aria-live": "polite" });
    this.#layOut(model.get("label"), model.get("submit"), model.get("more"));
    this.update();
  }

  #layOut(label, submit, more) {
    this.submitButton = make("button", { type: "submit", class: "primary" }, submit);
    this.buttons = make(
      "div",
      { class: "buttons" },
      this.submitButton,
      this.more.button,
      this.account.element,
    );
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
      this.date.readWord();
      this.descriptions.cancel();
      this.#submit();
    });
    this.form.addEventListener("input", () => this.#changed());
  }

  // Show what follows from what the fields hold.
  update() {
    this.more.update();
    this.account.update(this.more.isOpen || !this.#model.get("more").length);
    this.date.update();
  }

  show(outcome, own = {}) {
    this.fields.showErrors(outcome.errors);
    this.more.showErrors(outcome.errors);
    tell(this.message, this.#model, outcome, { reload: () => location.reload(), ...own });
  }
}
