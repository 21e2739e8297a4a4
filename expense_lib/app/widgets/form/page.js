// The form on the page, which is there for one expense after the other: what is typed into it outlives a reload.

import { make, send } from "../elements.js";
import { draftName, keepDraft, keptDraft } from "./draft.js";
import { Entry } from "./entry.js";
import { showMissed } from "./missed.js";
import { same } from "./outbox.js";

const POLL_EVERY_MS = 5000;

export class Page {
  #missing = make("div", { role: "status", "aria-live": "polite" });
  #draft = draftName(location);

  constructor(model, el, ending) {
    this.entry = new Entry(model, { changed: () => this.#keep(), missed: () => this.#showMissed() });
    el.append(this.entry.form, this.entry.message, this.#missing);
    this.#restore();
    this.entry.date.today();
    this.#poll(model, ending);
    window.addEventListener("popstate", () => location.reload(), { signal: ending }); // Back is a view as well
    requestAnimationFrame(() => this.entry.fields.inputs.amount.focus());
  }

  hear(content) {
    this.entry.hear(content);
  }

  #keep() {
    const { fields, outbox, more } = this.entry;
    const { values, categoryTyped, dateTyped } = fields;
    const { outstanding, missed } = outbox;
    keepDraft(this.#draft, {
      values,
      categoryTyped,
      dateTyped,
      outstanding,
      missed,
      isMoreOpen: more.isOpen,
    });
  }

  #restore() {
    const kept = keptDraft(this.#draft);
    if (!kept) return;
    const { fields, outbox, more } = this.entry;
    fields.fill(kept.values);
    more.isOpen = Boolean(kept.isMoreOpen);
    fields.categoryTyped = kept.categoryTyped;
    fields.dateTyped = kept.dateTyped;
    const last = kept.outstanding.at(-1);
    if (last && !same(last.values, fields.values)) fields.touchAll();
    outbox.restore(kept);
    this.#showMissed();
  }

  #showMissed() {
    const { fields, outbox } = this.entry;
    const forget = (entry) => {
      outbox.forget(entry);
      this.#showMissed();
    };
    const putBack = (entry) => {
      fields.putBack(entry.values);
      forget(entry);
      fields.inputs.amount.focus();
    };
    showMissed(this.#missing, outbox.missed, { putBack, forget });
  }

  // Have Python ask now and then whether the ledger has changed, while the page is visible.
  #poll(model, ending) {
    const poll = () => {
      if (document.visibilityState !== "visible") return;
      this.entry.date.today();
      send(model, { do: "poll" }, () => {});
    };
    const timer = setInterval(poll, POLL_EVERY_MS);
    ending.addEventListener("abort", () => clearInterval(timer));
    document.addEventListener("visibilitychange", poll, { signal: ending });
  }
}
