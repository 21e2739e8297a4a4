// What was submitted and is not answered yet. One entry, {id, ...}, is pending at a time, the others wait in their
// order. It is sent again under the same id until it is answered: the ledger's side is idempotent by that id.

const ANSWER_WITHIN_MS = 10000;
const RETRY_AFTER_MS = 1000; // what did not get away

// crypto.randomUUID is there for https and this machine only. An id is an idempotency key too: unique in a ledger.
export function newId() {
  return `${Date.now()}-${Math.random()}-${Math.random()}`;
}

export function same(values, others) {
  return JSON.stringify(values) === JSON.stringify(others);
}

export class Outbox {
  #send;
  #unanswered;
  #pending = null;
  #queue = [];
  #tries = 0;
  #timer;

  // *send* takes an entry; its promise is rejected if the entry did not get away. *unanswered* is called with the
  // number of tries so far, each time an entry is about to be sent again.
  constructor({ send, unanswered }) {
    this.#send = send;
    this.#unanswered = unanswered;
  }

  // What waits for an answer, in the order of submitting.
  get outstanding() {
    return this.#pending ? [this.#pending, ...this.#queue] : [...this.#queue];
  }

  // Have an entry sent; at once if it is the pending one already.
  push(entry) {
    if (entry.id === this.#pending?.id) {
      this.#sendPending();
    } else if (!this.#queue.some(({ id }) => id === entry.id)) {
      this.#queue.push(entry);
      this.#sendNext();
    }
  }

  // The pending entry that an answer to this *id* is about, which is outstanding no more; null if there is none.
  answer(id) {
    if (!this.#pending || id !== this.#pending.id) return null;
    const answered = this.#pending;
    this.stop();
    this.#pending = null;
    this.#sendNext();
    return answered;
  }

  // Send nothing again; nothing is dropped.
  stop() {
    clearTimeout(this.#timer);
  }

  // Drop what is outstanding, as a dialog does that is closed.
  clear() {
    this.stop();
    this.#pending = null;
    this.#queue = [];
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
