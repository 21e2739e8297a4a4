// A clock that stands until it is moved on, in place of the browser's.

const REAL = { Date, setTimeout, clearTimeout, setInterval, clearInterval };

export class Clock {
  #timers = new Map();
  #lastId = 0;

  // Stands at *now*, and is the page's from now on.
  constructor(now = new REAL.Date()) {
    this.now = now.getTime();
    const clock = this;
    globalThis.Date = class extends REAL.Date {
      constructor(...given) {
        super(...(given.length ? given : [clock.now]));
      }

      static now() {
        return clock.now;
      }
    };
    globalThis.setTimeout = (call, delayMs) => this.#add(call, delayMs, null);
    globalThis.setInterval = (call, everyMs) => this.#add(call, everyMs, everyMs);
    globalThis.clearTimeout = (id) => this.#timers.delete(id);
    globalThis.clearInterval = globalThis.clearTimeout;
  }

  stop() {
    Object.assign(globalThis, REAL);
  }

  // The computer was asleep until *now*: time has passed, and no timer has run.
  wakeAt(now) {
    const asleepMs = now.getTime() - this.now;
    for (const timer of this.#timers.values()) timer.at += asleepMs;
    this.now += asleepMs;
  }

  // Timers run in their order, also those that are set on the way.
  tick(delayMs) {
    const end = this.now + delayMs;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [id, timer] = next;
      this.now = timer.at;
      if (timer.everyMs === null) this.#timers.delete(id);
      else timer.at += timer.everyMs;
      timer.call();
    }
    this.now = end;
  }

  #add(call, delayMs, everyMs) {
    this.#lastId += 1;
    this.#timers.set(this.#lastId, { call, at: this.now + delayMs, everyMs });
    return this.#lastId;
  }

  #next(end) {
    const due = [...this.#timers].filter(([, timer]) => timer.at <= end);
    return due.sort(([, one], [, other]) => one.at - other.at)[0];
  }
}
