// Days as ISO dates, and the field of one: words and arrow keys stand in for a calendar.

import { button } from "../elements.js";

const WORDS = new Map([
  ["today", 0],
  ["yesterday", 1],
]);
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

// The date of an entry: today until a person says otherwise. *changed* is called when a key, a word or the button
// has set it; the form hears of what is typed by itself.
export class DateField {
  #fields;
  #changed;

  constructor(fields, changed) {
    this.#fields = fields;
    this.#changed = changed;
    const { input, box } = fields.parts.date;
    box.after(button("Yesterday", () => this.#set(daysAgo(1)), { class: "small" }));
    input.addEventListener("keydown", (event) => {
      const day = dayOfKey(input.value, event.key);
      if (!day) return;
      event.preventDefault();
      this.#set(day);
    });
    input.addEventListener("input", () => {
      fields.dateTyped = true;
    });
    input.addEventListener("blur", () => this.readWord());
  }

  // Put the day that was typed as a word.
  readWord() {
    const day = dayOfWord(this.#fields.inputs.date.value);
    if (day) this.#set(day);
  }

  // A page that stays open overnight goes on with the new day, unless an entry was begun.
  today() {
    const { amount, description, date } = this.#fields.inputs;
    const isBegun = amount.value !== "" || description.value !== "";
    if (!this.#fields.dateTyped && !isBegun) date.value = daysAgo(0);
  }

  #set(day) {
    this.#fields.inputs.date.value = day;
    this.#fields.dateTyped = day !== daysAgo(0);
    this.#fields.touched.add("date");
    this.#changed();
  }
}
