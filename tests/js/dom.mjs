// As much of a browser as the widgets use, a page with one widget on it, and a person's hands and eyes.

const SELECTOR = /^(\w*)(?:\.(\w+))?(?:\[([\w-]+)(?:(\^?=)"(.*)")?\])?$/;

class FakeElement {
  #listeners = [];
  attributes = new Map();
  childNodes = [];
  parent = null;
  checked = false;
  indeterminate = false;
  open = false;
  isSelected = false;

  constructor(name) {
    this.name = name;
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name === "value") this.value = String(value);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  get dataset() {
    const data = [...this.attributes].filter(([name]) => name.startsWith("data-"));
    return Object.fromEntries(data.map(([name, value]) => [name.slice("data-".length), value]));
  }

  get classList() {
    return {
      toggle: (name, isOn) => {
        const others = this.className.split(" ").filter((each) => each && each !== name);
        this.className = [...others, ...(isOn ? [name] : [])].join(" ");
      },
    };
  }

  get children() {
    return this.childNodes.filter((child) => child instanceof FakeElement);
  }

  get textContent() {
    return this.childNodes.map((child) => child.textContent ?? child).join("");
  }

  set textContent(text) {
    this.replaceChildren(...(text ? [text] : []));
  }

  #adopt(children) {
    for (const child of children) {
      if (!(child instanceof FakeElement)) continue;
      child.remove();
      child.parent = this;
    }
    return children;
  }

  append(...children) {
    this.childNodes.push(...this.#adopt(children));
  }

  prepend(...children) {
    this.childNodes.unshift(...this.#adopt(children));
  }

  after(...siblings) {
    const at = this.parent.childNodes.indexOf(this) + 1;
    this.parent.childNodes.splice(at, 0, ...this.parent.#adopt(siblings));
  }

  replaceChildren(...children) {
    for (const child of this.children) child.parent = null;
    this.childNodes = [];
    this.append(...children);
  }

  remove() {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter((child) => child !== this);
    this.parent = null;
  }

  getRootNode() {
    return this.parent ? this.parent.getRootNode() : this;
  }

  get isConnected() {
    return this.getRootNode() instanceof FakeRoot;
  }

  matches(selector) {
    const [, name, className, attribute, operator, value] = SELECTOR.exec(selector);
    const given = attribute ? this.getAttribute(attribute) : null;
    return (
      (!name || name === this.name) &&
      (!className || this.className.split(" ").includes(className)) &&
      (!attribute || given !== null) &&
      (!operator || (operator === "=" ? given === value : given.startsWith(value)))
    );
  }

  closest(selector) {
    return this.matches(selector) ? this : (this.parent?.closest(selector) ?? null);
  }

  querySelectorAll(selector) {
    return this.children.flatMap((child) => [
      ...(child.matches(selector) ? [child] : []),
      ...child.querySelectorAll(selector),
    ]);
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  addEventListener(type, listener) {
    this.#listeners.push([type, listener]);
  }

  // Returns whether the browser goes on to do what it does by default.
  dispatch(type, given = {}) {
    const event = { type, target: this, isPrevented: false, isStopped: false, ...given };
    event.preventDefault = () => {
      event.isPrevented = true;
    };
    event.stopPropagation = () => {
      event.isStopped = true;
    };
    for (let at = this; at && !event.isStopped; at = at.parent) at.#hear(event);
    return !event.isPrevented;
  }

  #hear(event) {
    for (const [type, listener] of this.#listeners) if (type === event.type) listener(event);
  }

  focus() {
    const root = this.getRootNode();
    if (!this.isConnected || root.activeElement === this) return;
    root.activeElement?.dispatch("blur");
    root.activeElement = this;
    this.isSelected = false;
    this.dispatch("focus");
  }

  select() {
    this.isSelected = true;
  }

  scrollIntoView() {}

  showModal() {
    this.open = true;
  }

  close() {
    this.open = false;
    this.dispatch("close");
  }
}

for (const name of ["hidden", "disabled"]) {
  Object.defineProperty(FakeElement.prototype, name, {
    get() {
      return this.attributes.has(name);
    },
    set(isOn) {
      if (isOn) this.setAttribute(name, "");
      else this.removeAttribute(name);
    },
  });
}
for (const [property, name] of [
  ["id", "id"],
  ["type", "type"],
  ["className", "class"],
]) {
  Object.defineProperty(FakeElement.prototype, property, {
    get() {
      return this.getAttribute(name) ?? "";
    },
    set(value) {
      this.setAttribute(name, value);
    },
  });
}

class FakeInput extends FakeElement {
  value = "";
}

class FakeRoot extends FakeElement {
  activeElement = null;
}

class FakeDocument extends EventTarget {
  visibilityState = "visible";

  createElement(name) {
    return name === "input" ? new FakeInput(name) : new FakeElement(name);
  }
}

function storage(kept) {
  return {
    get length() {
      return kept.size;
    },
    key: (at) => [...kept.keys()][at] ?? null,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => kept.set(name, text),
    removeItem: (name) => kept.delete(name),
  };
}

// A browser's tab at *search*, with what it keeps over a reload, and what the browser keeps for all tabs.
export function openTab(search = "", shelved = new Map()) {
  const kept = new Map();
  globalThis.document = new FakeDocument();
  globalThis.window = new EventTarget();
  globalThis.location = {
    pathname: "/",
    search,
    reloads: 0,
    reload() {
      this.reloads += 1;
    },
  };
  globalThis.sessionStorage = storage(kept);
  globalThis.localStorage = storage(shelved);
  globalThis.requestAnimationFrame = (draw) => draw();
  globalThis.CSS = { escape: (text) => text };
  return kept;
}

// A widget on the page. *sent* is what it sends to Python, which is away while *isAway*.
export class Shown {
  #listeners = new Map();
  #leave;
  sent = [];
  isAway = false;

  constructor({ render }, traits) {
    this.traits = traits;
    this.el = new FakeRoot("div");
    this.#leave = render({ model: this, el: this.el });
  }

  // The model's side

  get(name) {
    return this.traits[name];
  }

  on(name, listener) {
    this.#listeners.set(name, listener);
  }

  off(name) {
    this.#listeners.delete(name);
  }

  async send(message) {
    if (this.isAway) throw new Error("away");
    this.sent.push(message);
  }

  // Python's side

  hears(content) {
    this.#listeners.get("msg:custom")(content);
  }

  changes(name, value) {
    this.traits[name] = value;
    this.#listeners.get(`change:${name}`)();
  }

  sentTo(name) {
    return this.sent.filter((message) => message.do === name);
  }

  // The person's side

  leaves() {
    this.#leave();
  }

  field(name) {
    return this.el.querySelector(`[id="${name}"]`);
  }

  button(label) {
    const buttons = this.el.querySelectorAll("button");
    return buttons.find((each) => [each.textContent, each.getAttribute("aria-label")].includes(label));
  }

  types(texts) {
    for (const [name, text] of Object.entries(texts)) {
      this.field(name).focus();
      this.field(name).value = text;
      this.field(name).dispatch("input");
    }
  }

  presses(key) {
    const input = this.el.activeElement;
    if (input.dispatch("keydown", { key }) && key === "Enter") input.closest("form")?.dispatch("submit");
  }

  clicks(label, detail = 1) {
    const button = this.button(label);
    if (button.disabled) return;
    button.dispatch("click", { detail });
    if (button.type === "submit") button.closest("form").dispatch("submit");
  }
}

// Until promises that are rejected have been heard of.
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
