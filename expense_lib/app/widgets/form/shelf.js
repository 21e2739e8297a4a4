// What was typed and is not in the ledger, kept over reloads and days, for all tabs. Each item, {id, at, kind, ...},
// stands under a key of its own, so that two tabs never write over what the other has kept.

// Where the items of a ledger are kept, by its id, so that those of two at one address don't mix. It is "" as long as
// no ledger was reached.
export function shelfName(ledger) {
  return `expenses:unrecorded:${ledger}:`;
}

export class Shelf {
  #name;
  #changed;
  #items = new Map(); // also what the browser would not keep

  // *changed* is called when an item came, went or changed, here or in another tab.
  constructor(name, changed, ending) {
    this.#name = name;
    this.#changed = changed;
    for (const item of this.#kept()) this.#items.set(item.id, item);
    window.addEventListener("storage", (event) => this.#hear(event), { signal: ending });
  }

  // From now on the items are those of this *name*, with those that were kept so far.
  move(name) {
    const before = this.items;
    for (const { id } of before) this.#forget(id);
    this.#name = name;
    this.#items = new Map(this.#kept().map((item) => [item.id, item]));
    for (const item of before) this.#keep(item);
    this.#changed();
  }

  // The earliest first.
  get items() {
    return [...this.#items.values()].sort((one, other) => one.at - other.at);
  }

  has(id) {
    return this.#items.has(id);
  }

  put(item) {
    this.#keep(item);
    this.#changed();
  }

  remove(id) {
    this.#forget(id);
    this.#changed();
  }

  #keep(item) {
    this.#items.set(item.id, item);
    try {
      localStorage.setItem(this.#name + item.id, JSON.stringify(item));
    } catch {
      // a browser that keeps nothing, or is full: it is kept while the page is open
    }
  }

  #forget(id) {
    this.#items.delete(id);
    try {
      localStorage.removeItem(this.#name + id);
    } catch {
      // see above
    }
  }

  #kept() {
    try {
      const keys = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at));
      return keys
        .filter((key) => key.startsWith(this.#name))
        .map((key) => JSON.parse(localStorage.getItem(key)));
    } catch {
      return [];
    }
  }

  // Another tab has kept or removed one.
  #hear({ key, newValue }) {
    if (!key?.startsWith(this.#name)) return;
    if (newValue === null) this.#items.delete(key.slice(this.#name.length));
    else this.#items.set(key.slice(this.#name.length), JSON.parse(newValue));
    this.#changed();
  }
}
