// The form on the page, which is there for one expense after the other. What is submitted leaves it at once; whatever
// does not become an expense is in the tray until it is decided. Each thing that was typed is in one place at any time:
//
//   form -> submitted -> recorded, or in the tray -> submitted again, back in the form, or thrown away
//
// The shelf keeps what was submitted and is not recorded, the draft what is in the form.

import { send } from "../elements.js";
import { draftName, keepDraft, keptDraft } from "./draft.js";
import { Entry } from "./entry.js";
import { LATE_AFTER_MS, REFUSED, shownOf, titleOf, UNSAID, UNSENT } from "./items.js";
import { newId, same } from "./outbox.js";
import { pollWhileVisible } from "./poll.js";
import { Shelf, shelfName } from "./shelf.js";
import { Tray } from "./tray.js";

export class Page {
  #model;
  #draft = draftName(location);
  #editing = null; // the id of the item that is in the form
  #ledger; // its id; "" as long as it was not reached

  constructor(model, el, ending) {
    this.#model = model;
    this.entry = new Entry(model, { changed: () => this.#keep(), submit: () => this.#submit() });
    this.tray = new Tray({
      act: (item, act) => this.#decide(item, act),
      more: () => this.#tell({ do: "more" }),
      leave: () => this.#focus(),
    });
    this.#ledger = model.get("ledger");
    this.shelf = new Shelf(shelfName(this.#ledger), () => this.#showTray(), ending);
    el.append(this.entry.form, this.entry.message, this.tray.element);
    this.#on("undecided", () => this.#showTray(), ending);
    this.#on("beyond", () => this.#showTray(), ending);
    this.#on("ledger", () => this.#moveTo(model.get("ledger")), ending);
    this.#restore();
    this.entry.date.open();
    pollWhileVisible(model, ending, () => {
      this.entry.date.tick();
      this.#showTray();
    });
    window.addEventListener("popstate", () => location.reload(), { signal: ending }); // Back is a view as well
    requestAnimationFrame(() => this.#focus());
  }

  #on(trait, listener, ending) {
    this.#model.on(`change:${trait}`, listener);
    ending.addEventListener("abort", () => this.#model.off(`change:${trait}`, listener));
  }

  // Send what is not sent again by itself.
  #tell(message) {
    send(this.#model, message, (text) => this.entry.show({ kind: "danger", text }));
  }

  hear({ outcome, offer, remarks }) {
    if (offer) this.entry.descriptions.show(offer);
    for (const remark of remarks ?? []) this.shelf.put({ ...remark, at: Date.now() });
    if (!outcome) return;
    if (outcome.id === null) this.#acted(outcome);
    else this.#answered(outcome);
  }

  // The form

  #submit() {
    const { fields, date } = this.entry;
    if (fields.isBlank) {
      this.tray.focus();
      return;
    }
    const edited = this.#editing;
    this.#send({ id: newId(), at: Date.now(), values: fields.values });
    fields.beginNext();
    date.used(edited !== null);
    this.#editing = null;
    if (edited) this.shelf.remove(edited);
    this.entry.show({});
    this.entry.update();
    this.#keep();
    this.#focus();
  }

  // It is kept before it is sent.
  #send(entry) {
    const sent = { ...entry, kind: "sent", sentAt: Date.now() };
    this.shelf.put(sent);
    setTimeout(() => this.#showTray(), LATE_AFTER_MS);
    this.entry.outbox.push(sent);
  }

  // What became of what was sent, from this tab or from another that kept it.
  #answered(outcome) {
    const { id, of, ...said } = outcome;
    const sent = this.entry.outbox.answer(id);
    if (!sent) return;
    if (said.kind === "added") {
      this.shelf.remove(id);
      for (const remark of this.#remarksOn(said.version && said.expense)) {
        this.shelf.put({ ...remark, version: said.version });
      }
      this.entry.show(outcome);
    } else if (this.shelf.has(id)) {
      const { as, ...asTyped } = sent;
      this.shelf.put({ ...asTyped, ...said, acts: said.acts?.length ? said.acts : UNSAID });
      this.entry.show({});
    }
  }

  // What became of a click on a button beside an outcome.
  #acted(outcome) {
    const { fields } = this.entry;
    this.entry.show(outcome);
    if (outcome.fill) {
      for (const { id } of this.#remarksOn(outcome.expense)) this.shelf.remove(id);
      if (fields.isBlank) fields.putBack(outcome.fill);
    }
    this.entry.update();
    this.#keep();
    this.#focus();
  }

  #remarksOn(expenseId) {
    return this.shelf.items.filter(({ kind, expense }) => kind === "remark" && expense === expenseId);
  }

  #focus() {
    this.entry.fields.inputs.amount.focus();
  }

  // The tray

  #showTray() {
    const items = this.shelf.items.filter(({ id }) => id !== this.#editing).map(shownOf);
    const undecided = this.#model.get("undecided");
    const asked = undecided.filter(({ isNew }) => isNew);
    const others = undecided.filter(({ isNew }) => !isNew);
    this.tray.show([...asked, ...items.filter(Boolean), ...others], this.#model.get("beyond"));
  }

  #decide({ item, row }, act) {
    if (act.says !== undefined) {
      this.#tell({ do: "decide", row, says: act.says });
    } else if (act.in !== undefined) {
      this.#send({ id: newId(), at: item.at, values: { ...item.values, category: act.in } });
      this.shelf.remove(item.id);
    } else if (act.name === "edit") this.#edit(item);
    else if (act.name === "send") this.#send(item);
    else if (["another", "restore", "amend"].includes(act.name)) {
      this.#send({ ...item, as: act.name, changes: act.changes });
    } else this.#drop(item, act);
  }

  // It is gone on purpose; and since a click may be a slip, it can be had back.
  #drop(item, { label }) {
    this.shelf.remove(item.id);
    const said = { text: `${label}: ${item.values ? titleOf(item.values) : item.text}`, acts: [] };
    said.acts.push({ name: "back", label: "Put it back" });
    this.entry.show(said, {
      back: () => {
        this.entry.show({});
        this.shelf.put(item);
      },
    });
  }

  // Take it into the form; it stays on the shelf until it is sent anew. What is in the form already comes here.
  #edit(item) {
    const { fields, more } = this.entry;
    this.#setAside();
    this.#editing = item.id;
    fields.putBack(item.values);
    fields.showErrors(item.errors);
    more.showErrors(item.errors);
    this.entry.update();
    this.#keep();
    this.#showTray();
    if (!fields.focusError(item.errors)) this.#focus();
  }

  #setAside() {
    const { fields } = this.entry;
    if (fields.isBlank) return;
    const before = this.shelf.items.find(({ id }) => id === this.#editing);
    const item = before ?? { id: newId(), at: Date.now() };
    this.#editing = null;
    this.shelf.put({ ...item, errors: {}, ...UNSENT, values: fields.values });
    fields.beginNext();
  }

  // Reloads

  #keep() {
    const { fields, more } = this.entry;
    const { values, categoryTyped, dateTyped } = fields;
    if (this.#editing && fields.isBlank) {
      this.#editing = null;
      this.#showTray();
    }
    keepDraft(this.#draft, {
      values,
      categoryTyped,
      dateTyped,
      isMoreOpen: more.isOpen,
      editing: this.#editing,
    });
  }

  #restore() {
    const { fields, more } = this.entry;
    const kept = keptDraft(this.#draft);
    if (kept) {
      fields.fill(kept.values);
      more.isOpen = Boolean(kept.isMoreOpen);
      fields.categoryTyped = kept.categoryTyped;
      fields.dateTyped = kept.dateTyped;
      if (this.shelf.has(kept.editing)) this.#editing = kept.editing;
      this.#takeUp(kept);
    }
    this.#sendAgain();
    this.entry.update();
    this.#keep();
    this.#showTray();
  }

  #sendAgain() {
    for (const item of this.shelf.items) if (item.kind === "sent") this.entry.outbox.push(item);
    setTimeout(() => this.#showTray(), LATE_AFTER_MS);
  }

  // The ledger was reached, or is another than before: then this is another page.
  #moveTo(ledger) {
    if (this.#ledger) return location.reload();
    this.#ledger = ledger;
    this.shelf.move(shelfName(ledger));
    this.#sendAgain();
  }

  // What an earlier version of this page kept beside the form: its last entry was in the form until it was answered.
  #takeUp({ outstanding = [], missed = [] }) {
    const at = Date.now();
    for (const { id, values } of outstanding) this.shelf.put({ id, at, values, kind: "sent", sentAt: at });
    for (const { values, why } of missed) {
      this.shelf.put({ id: newId(), at, values, text: why, ...REFUSED });
    }
    const { fields } = this.entry;
    if (outstanding.length && same(outstanding.at(-1).values, fields.values)) fields.beginNext();
  }
}
