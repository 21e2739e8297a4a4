// A table of one page of something, whose rows can be picked and acted on. What it shows is the model's *page*:
//
//   {columns: [{name, label, kind, sorts}], rows: [{id, named, fixed, ...}], sort, newer, older, turns, caption, none,
//    picks, act}
//
// *turns* are the words for newer and older. *none* is said where there are no rows. A column's kind is "amount", "date" or none; *sorts* are the orders that a click on its head asks for. A row is
// *named* to screen readers; one that is *fixed* can't be acted on. To Python, as custom messages:
// {do: "sort", by}, {do: "turn", to: "newer" | "older"}, {do: "pick", ids}, {do: "act", id}.

function render({ model, el }) {
  const page = () => model.get("page");
  const caption = make("caption");
  const head = make("tr", { role: "row" });
  const body = make("tbody", { role: "rowgroup" });
  const table = make("table", { role: "table" }, caption, make("thead", { role: "rowgroup" }, head), body);
  const turn = (to) => () => send(model, { do: "turn", to }, failed);
  const newer = button("Newer", turn("newer"), { "data-key": "newer" });
  const older = button("Older", turn("older"), { "data-key": "older" });
  const pager = make("nav", { class: "pager", "aria-label": "Pages" }, newer, older);
  const none = make("p", { class: "none" });
  const picked = new Set();
  let told = "[]";
  const failed = (why) => { none.textContent = why; };

  const all = make("input", { type: "checkbox", "aria-label": "Select all on this page", "data-key": "all" });
  const tellPicked = () => {
    const { rows, picks } = page();
    if (!picks) return;
    const ids = rows.map((row) => row.id).filter((id) => picked.has(id));
    all.checked = ids.length > 0 && ids.length === rows.length;
    all.indeterminate = ids.length > 0 && !all.checked;
    for (const box of body.querySelectorAll("input")) {
      box.checked = picked.has(Number(box.value));
      box.closest("tr").classList.toggle("picked", box.checked);
    }
    if (told === JSON.stringify(ids)) return;
    told = JSON.stringify(ids);
    send(model, { do: "pick", ids }, failed);
  };
  const pick = (id, is) => (is ? picked.add(id) : picked.delete(id));
  all.addEventListener("change", () => {
    for (const row of page().rows) pick(row.id, all.checked);
    tellPicked();
  });

  const heading = ({ name, label, kind, sorts }) => {
    const cell = make("th", { scope: "col", role: "columnheader", class: `${kind ?? ""} ${name}` });
    if (!sorts) {
      cell.append(label);
      return cell;
    }
    const { sort } = page();
    const down = sort.endsWith("_desc");
    const arrow = make("span", { "aria-hidden": "true", class: "arrow" });
    if (sorts.includes(sort)) {
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      arrow.textContent = down ? "\u2193" : "\u2191";
    }
    const by = sort === sorts[0] ? sorts[1] : sorts[0];
    const sorting = button(label, () => send(model, { do: "sort", by }, failed), { "data-key": name });
    sorting.append(arrow);
    cell.append(sorting);
    return cell;
  };

  const line = (row) => {
    const { columns, picks, act } = page();
    const cells = columns.map(({ name, kind }) => (
      make("td", { role: "cell", class: `${kind ?? ""} ${name}` }, row[name])
    ));
    if (picks) {
      const box = make("input", {
        type: "checkbox", value: String(row.id), "aria-label": `Select ${row.named}`, "data-key": `pick-${row.id}`,
      });
      box.addEventListener("change", () => {
        pick(row.id, box.checked);
        tellPicked();
      });
      cells.unshift(make("td", { role: "cell", class: "pick" }, box));
    }
    if (act) {
      cells.push(make("td", { role: "cell", class: "act" }, deed(
        act,
        () => send(model, { do: "act", id: row.id }, failed),
        { "aria-label": `${act} ${row.named}`, "data-key": `act-${row.id}`, disabled: row.fixed },
      )));
    }
    return make("tr", { role: "row" }, ...cells);
  };

  const show = () => {
    const { columns, rows, picks, act } = page();
    const focused = el.getRootNode().activeElement?.dataset?.key;
    caption.textContent = page().caption;
    head.replaceChildren(...columns.map(heading));
    if (picks) head.prepend(make("th", { scope: "col", role: "columnheader", class: "pick" }, all));
    if (act) {
      const unseen = make("span", { class: "unseen" }, act);
      head.append(make("th", { scope: "col", role: "columnheader", class: "act" }, unseen));
    }
    body.replaceChildren(...rows.map(line));
    const here = new Set(rows.map((row) => row.id));
    for (const id of picked) if (!here.has(id)) picked.delete(id);
    tellPicked();
    [newer.textContent, older.textContent] = page().turns ?? ["Newer", "Older"];
    newer.disabled = !page().newer;
    older.disabled = !page().older;
    pager.hidden = newer.disabled && older.disabled;
    table.classList.toggle("cards", Boolean(picks));
    table.hidden = !rows.length;
    none.textContent = rows.length ? "" : page().none ?? "";
    if (!focused) return;
    const still = el.querySelector(`[data-key="${CSS.escape(focused)}"]`);
    (still ?? el.querySelector('[data-key^="act-"]'))?.focus(); // what had it may be gone
  };

  el.append(make("div", { class: "across" }, table), none, pager);
  show();
  model.on("change:page", show);
  return () => model.off("change:page", show);
}

export default { render };
