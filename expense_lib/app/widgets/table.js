// A table of one page of something, whose rows can be picked and acted on. What it shows is the model's *page*:
//
//   {columns: [{name, label, kind, sorts}], rows: [{id, named, fixed, ...}], sort, newer, older, turns, caption,
//    none, picks, act, statement}
//
// *turns* are the words for newer and older. *none* is said where there are no rows. *statement* says that they are
// a statement's. A column's kind is "amount", "date", "detailed", "choice" or none; *sorts* are the orders that a click
// on its head asks for. Below a detailed text stand the row's *details*, small, if it has any: {kind, text}, the kind
// being "account", "tag" or "note". Below a sourced one stands from where it is, the row's *source*: {kind, text}. In a column of choices a row has a text, or {named, value, choices}, the choices
// being [value, label] each. A row is *named* to screen readers; one that is *fixed* can't be acted on. To Python, as
// custom messages: {do: "sort", by}, {do: "turn", to: "newer" | "older"}, {do: "pick", ids}, {do: "act", id},
// {do: "choose", id, to}.

import { button, deed, make, send } from "./elements.js";

function columnHeader(attributes, ...children) {
  return make("th", { scope: "col", role: "columnheader", ...attributes }, ...children);
}

// The head of a column that a click sorts by; *ask* is called with the order.
function sortingHeader({ name, label, kind, sorts }, sort, ask) {
  const isDown = sort.endsWith("_desc");
  const isSorted = sorts.includes(sort);
  const arrow = make("span", { "aria-hidden": "true", class: "arrow" });
  if (isSorted) arrow.textContent = isDown ? "\u2193" : "\u2191";
  const sorting = button(label, () => ask(sort === sorts[0] ? sorts[1] : sorts[0]), { "data-key": name });
  sorting.append(arrow);
  const order = isDown ? "descending" : "ascending";
  return columnHeader({ class: `${kind ?? ""} ${name}`, "aria-sort": isSorted && order }, sorting);
}

function cell(attributes, content) {
  return make("td", { role: "cell", ...attributes }, content);
}

// What stands small below a cell's text.
function detailsOf(details) {
  const items = details.map(({ kind, text }) => make("span", { class: kind, role: "listitem" }, text));
  return make("div", { class: "details", role: "list" }, ...items);
}

// One of several, for a row; *chosen* is called with the value.
function choosing(id, { named, value, choices }, chosen) {
  const options = choices.map(([each, label]) =>
    make("option", { value: each, selected: each === value }, label),
  );
  const select = make("select", { "aria-label": named, "data-key": `choose-${id}` }, ...options);
  select.addEventListener("change", () => chosen(select.value));
  return select;
}

// Which rows are picked. *told* is called with the ids when those on the page are others than before.
class Picks {
  #all = make("input", { type: "checkbox", "aria-label": "Select all on this page", "data-key": "all" });
  #boxes = new Map();
  #picked = new Set();
  #told = "[]";
  #tell;

  constructor(tellPicked) {
    this.#tell = tellPicked;
    this.#all.addEventListener("change", () => {
      for (const id of this.#boxes.keys()) this.#pick(id, this.#all.checked);
      this.update();
    });
  }

  header() {
    return columnHeader({ class: "pick" }, this.#all);
  }

  // The page is laid out anew: its rows follow, each by its `cell`.
  begin() {
    this.#boxes.clear();
  }

  // What is not on the page is picked no more.
  prune() {
    for (const id of this.#picked) if (!this.#boxes.has(id)) this.#picked.delete(id);
  }

  cell({ id, named }) {
    const box = make("input", {
      type: "checkbox",
      value: String(id),
      "aria-label": `Select ${named}`,
      "data-key": `pick-${id}`,
    });
    box.addEventListener("change", () => {
      this.#pick(id, box.checked);
      this.update();
    });
    this.#boxes.set(id, box);
    return cell({ class: "pick" }, box);
  }

  update() {
    for (const [id, box] of this.#boxes) {
      box.checked = this.#picked.has(id);
      box.closest("tr").classList.toggle("picked", box.checked);
    }
    const ids = [...this.#boxes.keys()].filter((id) => this.#picked.has(id));
    this.#all.checked = ids.length > 0 && ids.length === this.#boxes.size;
    this.#all.indeterminate = ids.length > 0 && !this.#all.checked;
    if (this.#told === JSON.stringify(ids)) return;
    this.#told = JSON.stringify(ids);
    this.#tell(ids);
  }

  #pick(id, isPicked) {
    if (isPicked) this.#picked.add(id);
    else this.#picked.delete(id);
  }
}

class Pager {
  element;
  #newer;
  #older;

  constructor(turn) {
    this.#newer = button("Newer", () => turn("newer"), { "data-key": "newer" });
    this.#older = button("Older", () => turn("older"), { "data-key": "older" });
    this.element = make("nav", { class: "pager", "aria-label": "Pages" }, this.#newer, this.#older);
  }

  show({ newer, older, turns }) {
    [this.#newer.textContent, this.#older.textContent] = turns ?? ["Newer", "Older"];
    this.#newer.disabled = !newer;
    this.#older.disabled = !older;
    this.element.hidden = !newer && !older;
  }
}

class Table {
  #el;
  #model;
  #caption = make("caption");
  #head = make("tr", { role: "row" });
  #body = make("tbody", { role: "rowgroup" });
  #none = make("p", { class: "none" });
  #picks = new Picks((ids) => this.#send({ do: "pick", ids }));
  #pager = new Pager((to) => this.#send({ do: "turn", to }));
  #table;

  constructor(model, el) {
    this.#model = model;
    this.#el = el;
    const head = make("thead", { role: "rowgroup" }, this.#head);
    this.#table = make("table", { role: "table" }, this.#caption, head, this.#body);
    el.append(make("div", { class: "across" }, this.#table), this.#none, this.#pager.element);
  }

  show(page) {
    const focused = this.#el.getRootNode().activeElement?.dataset?.key;
    this.#caption.textContent = page.caption;
    this.#head.replaceChildren(...this.#headers(page));
    this.#picks.begin();
    this.#body.replaceChildren(...page.rows.map((row) => this.#row(page, row)));
    this.#picks.prune();
    if (page.picks) this.#picks.update();
    this.#pager.show(page);
    this.#table.classList.toggle("cards", Boolean(page.picks));
    this.#table.classList.toggle("statement", Boolean(page.statement));
    this.#table.hidden = !page.rows.length;
    this.#none.textContent = page.rows.length ? "" : (page.none ?? "");
    if (focused) this.#focus(focused);
  }

  // What had the focus may be gone.
  #focus(key) {
    const still = this.#el.querySelector(`[data-key="${CSS.escape(key)}"]`);
    (still ?? this.#el.querySelector('[data-key^="act-"]'))?.focus();
  }

  #headers({ columns, sort, picks, act }) {
    const headers = columns.map((column) => {
      if (column.sorts) return sortingHeader(column, sort, (by) => this.#send({ do: "sort", by }));
      return columnHeader({ class: `${column.kind ?? ""} ${column.name}` }, column.label);
    });
    if (picks) headers.unshift(this.#picks.header());
    if (act) headers.push(columnHeader({ class: "act" }, make("span", { class: "unseen" }, act)));
    return headers;
  }

  #row({ columns, picks, act }, row) {
    const cells = columns.map(({ name, kind }) => {
      const made = cell({ class: `${kind ?? ""} ${name}` }, this.#content(kind, row, name));
      if (kind === "detailed" && row.details?.length) made.append(detailsOf(row.details));
      if (kind === "sourced" && row.source) made.append(detailsOf([row.source]));
      return made;
    });
    if (picks) cells.unshift(this.#picks.cell(row));
    if (act) cells.push(cell({ class: "act" }, this.#actButton(act, row)));
    return make("tr", { role: "row" }, ...cells);
  }

  #content(kind, row, name) {
    const given = row[name];
    if (kind !== "choice" || typeof given === "string") return given;
    return choosing(row.id, given, (to) => this.#send({ do: "choose", id: row.id, to }));
  }

  #actButton(act, { id, named, fixed }) {
    return deed(act, () => this.#send({ do: "act", id }), {
      "aria-label": `${act} ${named}`,
      "data-key": `act-${id}`,
      disabled: fixed,
    });
  }

  #send(message) {
    send(this.#model, message, (why) => {
      this.#none.textContent = why;
    });
  }
}

function render({ model, el }) {
  const table = new Table(model, el);
  const show = () => table.show(model.get("page"));
  show();
  model.on("change:page", show);
  return () => model.off("change:page", show);
}

export default { render };
