// A form for an expense or a part of one. Python holds the ledger; this holds what is being typed.
//
// To Python, as custom messages (marimo hands on each of them, also those sent while it is busy):
//   {do: "send", id, values, as}   what was typed, to be written; sent again until it is answered. In the tray it may
//                               have become *another* payment, one to *restore* (*expense*), or a correction to
//                               *amend* (*expense*, *changes*, *version*)
//   {do: "decide", row, says}   what the ledger asked: it is expense *says*, or "new", or "skip"
//   {do: "more"}                show more of what the ledger asks
//   {do: "complete", text}      which descriptions begin like this?
//   {do: "act", name, of}       a button beside the outcome *of*
//   {do: "delete"}              a dialog's button
//   {do: "poll"}                every few seconds while the page is visible: has the ledger changed?
// From Python:
//   {outcome: {id, of, kind, text, errors, acts, fill, expense}}   what became of it
//   {remarks: [{id, kind, text, acts, expense, version}]}   what looks like a slip in what was added
//   {offer: {text, items}}                            descriptions, each with the category it had last
//   {ask: {title, submit, values, fields, lines, acts}}   for a dialog: open with these
//   {close: true, id}                             for a dialog: *id* is written; null is for one that closes anyway

import { Dialog } from "./dialog.js";
import { Page } from "./page.js";

function render({ model, el }) {
  const ending = new AbortController();
  const shown = model.get("dialog") ? new Dialog(model, el) : new Page(model, el, ending.signal);
  const hear = (content) => shown.hear(content);
  model.on("msg:custom", hear);
  return () => {
    ending.abort();
    shown.entry.outbox.stop();
    model.off("msg:custom", hear);
  };
}

export default { render };
