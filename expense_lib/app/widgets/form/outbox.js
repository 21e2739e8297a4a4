// What was submitted and is not answered yet: a state machine that holds unsent money. Each entry, {id, values}, is
// in one place at any time:
//
//   submitted -> queue -> pending -> answered
//                            `----> missed -> forgotten, or put back into the form
//
// One entry is pending at a time. It is sent again under the same id until it is answered: the ledger's side is
// idempotent by that id. A reload restores `outstanding` and `missed`.

const ANSWER_WITHIN_MS = 10000;
const RETRY_AFTER_MS = 1000; // what did not get away

// crypto.randomUUID is there for https and this machine only; uniqueness within this page is enough.
function newId() {
  return `${Date.now()}-${Math.random()}`;
}

export function same(values, others) {
  return JSON.stringify(values) === JSON.stringify(others);
}

export class Outbox {
  #send;
  #unanswered;
  #changed;
  #pending = null;
  #queue = [];
  #missed = [];
  #tries = 0;
  #timer;

  // *send* takes an entry; its promise is rejected if the entry did not get away. *unanswered* is called with the
  // number of tries so far, each time an entry is about to be sent again. *changed* is called after each change of
  // `outstanding` or `missed`, and before anything of it is sent.
  constructor({ send, unanswered, changed }) {
    this.#send = send;
    this.#unanswered = unanswered;
    this.#changed = changed;
  }

  // What waits for an answer, in the order of submitting.
  get outstanding() {
    return this.#pending ? [this.#pending, ...this.#queue] : [...this.#queue];
  }

  // What was refused while the form held the next already: {values, why}, the earliest first.
  get missed() {
    return [...this.#missed];
  }

  // Have *values* sent once. False if they are those of the last outstanding entry: the other half of a double click.
  submit(values) {
    const last = this.outstanding.at(-1);
    if (last && same(last.values, values)) return false;
    this.#queue.push({ id: newId(), values });
    this.#changed();
    this.#sendNext();
    return true;
  }

  // Take what became of the pending entry, {id, kind, text, errors}. *typed* are the form's values by now.
  //
  // Returns "ignored" if it answers no pending entry; "missed" if it refuses what is in the form no more, and so has
  // nothing to be shown beside; else "shown".
  answer(outcome, typed) {
    if (!this.#pending || outcome.id !== this.#pending.id) return "ignored";
    const { values } = this.#pending;
    const isInForm = !this.#queue.length && same(values, typed);
    const isMissed = outcome.kind !== "added" && !isInForm;
    if (isMissed) {
      const errors = Object.values(outcome.errors ?? {}).join(" ");
      this.#missed.push({ values, why: errors || outcome.text });
    }
    this.stop();
    this.#pending = null;
    this.#changed();
    this.#sendNext();
    return isMissed ? "missed" : "shown";
  }

  // Drop one of `missed`.
  forget(entry) {
    this.#missed = this.#missed.filter((other) => other !== entry);
    this.#changed();
  }

  // Take up what was kept when the page was left.
  restore({ outstanding, missed }) {
    this.#queue = [...outstanding];
    this.#missed = [...missed];
    this.#changed();
    this.#sendNext();
  }

  // Send nothing again; nothing is dropped.
  stop() {
    clearTimeout(this.#timer);
  }

  // Drop what is outstanding or missed, as a dialog does that is closed.
  clear() {
    this.stop();
    this.#pending = null;
    this.#queue = [];
    this.#missed = [];
  }

  #sendNext() {
    if (this.#pending || !this.#queue.length) return;
    this.#pending = this.#queue.shift();
    this.#tries = 0;
    this.#sendPending();
  }

  async #sendPending() {
    const entry = this.#pending;
    this.#retryAfter(ANSWER_WITHIN_MS);
    try {
      await this.#send(entry);
    } catch {
      if (entry === this.#pending) this.#retryAfter(RETRY_AFTER_MS); // else it was answered all the same
    }
  }

  #retryAfter(delayMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tries += 1;
      this.#unanswered(this.#tries);
      this.#sendPending();
    }, delayMs);
  }
}
