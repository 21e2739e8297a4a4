// Days as ISO dates, and the field of one: words and arrow keys stand in for a calendar.

import { button, make } from "../elements.js";

const WORDS = new Map([
  ["today", 0],
  ["yesterday", 1],
]);
const BACK_AFTER_MS = 5 * 60_000;
const DAYS_ON = new Map([
  ["ArrowDown", -1],
  ["ArrowUp", 1],
]);

function iso(day) {
  const two = (number) => String(number).padStart(2, "0");
  return `${String(day.getFullYear()).padStart(4, "0")}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

export function daysAgo(number) {
  const day = new Date();
  day.setDate(day.getDate() - number);
  return iso(day);
}

// The day *step* days after an ISO date; null if it is none, or the calendar ends there.
export function dayAfter(text, step) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim());
  if (!parts) return null;
  const day = new Date(2000, 0, 1);
  day.setFullYear(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + step); // Date(99, ...) is 1999
  return day.getFullYear() >= 1 && day.getFullYear() <= 9999 ? iso(day) : null;
}

// The day that an arrow key leads to from an ISO date; null for any other key.
export function dayOfKey(text, key) {
  return DAYS_ON.has(key) ? dayAfter(text, DAYS_ON.get(key)) : null;
}

// The day that a word means; null if it means none.
export function dayOfWord(text) {
  const word = text.trim().toLowerCase();
  return WORDS.has(word) ? daysAgo(WORDS.get(word)) : null;
}

// A day as a person says it: 24 Nov, or 24 Nov 2025 where it is of another year.
export function dayInWords(text) {
  const [year, month, day] = text.split("-").map(Number);
  const isThisYear = year === new Date().getFullYear();
  const parts = { day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }) };
  return new Date(year, month - 1, day).toLocaleDateString("en-GB", parts);
}

// The date of an entry: today until a person says otherwise, and for a few minutes after. One that is not today is said
// beside it. *changed* is called when a key, a word or a button has set it; the form hears of what is typed by itself.
export class DateField {
  #fields;
  #changed;
  #usedAt = Date.now();
  #pill = button("", () => this.#set(daysAgo(0)), { class: "pill still", tabindex: "-1", hidden: true });

  // *isNext*: the date is for one entry after the other.
  constructor(fields, changed, isNext) {
    this.#fields = fields;
    this.#changed = changed;
    const { input, box } = fields.parts.date;
    const yesterday = button("Yesterday", () => this.#set(daysAgo(1)), { class: "small" });
    box.after(make("span", { class: "pills" }, yesterday, ...(isNext ? [this.#pill] : [])));
    input.addEventListener("keydown", (event) => this.#onKey(event, isNext));
    input.addEventListener("input", () => {
      fields.dateTyped = true;
      this.#usedAt = Date.now();
    });
    input.addEventListener("blur", () => this.readWord());
  }

  // Put the day that was typed as a word.
  readWord() {
    const day = dayOfWord(this.#fields.inputs.date.value);
    if (day) this.#set(day);
  }

  // The page was opened: an entry that was begun keeps its date, nothing else does.
  open() {
    if (this.#fields.isBlank) this.#reset();
  }

  // An entry was sent: the next has its date, unless it was *another's*, whose turn came late.
  used(isAnothers) {
    this.#usedAt = Date.now();
    if (isAnothers) this.#reset();
  }

  // A page that stays open overnight goes on with the new day, one that was left alone with today, unless an entry was
  // begun.
  tick() {
    const isLeft = Date.now() - this.#usedAt >= BACK_AFTER_MS;
    if (this.#fields.isBlank && (isLeft || !this.#fields.dateTyped)) this.#reset();
    this.update();
  }

  // Say a date that is not today.
  update() {
    const text = this.#fields.inputs.date.value.trim();
    const day = dayAfter(text, 0);
    this.#pill.hidden = !day || day === daysAgo(0);
    this.#pill.textContent = this.#pill.hidden ? "" : `still ${dayInWords(day)} \u00d7`;
    this.#pill.setAttribute("aria-label", this.#pill.hidden ? "" : `still ${dayInWords(day)}: back to today`);
  }

  #reset() {
    const { date } = this.#fields.inputs;
    this.#fields.dateTyped = false;
    if (date.value === daysAgo(0)) return;
    date.value = daysAgo(0);
    this.#changed();
  }

  #onKey(event, isNext) {
    const { value } = this.#fields.inputs.date;
    const day = isNext && event.key === "Escape" ? daysAgo(0) : dayOfKey(value, event.key);
    if (!day) return;
    event.preventDefault();
    this.#set(day);
  }

  #set(day) {
    this.#fields.inputs.date.value = day;
    this.#fields.dateTyped = day !== daysAgo(0);
    this.#usedAt = Date.now();
    this.#changed();
  }
}
