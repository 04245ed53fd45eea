// Several people side by side: a window of windows.
import { h } from "./dom.js";
import { address } from "./store.js";

const MOST = 4;
const bar = document.getElementById("bar");
const columns = document.getElementById("columns");
let people = [];

const shown = () => [...columns.querySelectorAll("iframe")].map((frame) => frame.contentWindow.location.hash.slice(1) || frame.dataset.start);
const handleOf = (start) => decodeURIComponent(start.split("/")[0]);

function remember() {
  history.replaceState(null, "", `#${shown().map(encodeURIComponent).join("|")}`);
}

function add(start) {
  const frame = h("iframe", { src: `${address("/")}#${start}`, title: `The workspace as ${handleOf(start)} sees it` });
  frame.dataset.start = start;
  const close = h("button", { type: "button", class: "plain", "aria-label": "Close this column", data: { testid: "close-column" }, onclick: () => remove(column) }, "×");
  const name = people.find((known) => known.handle === handleOf(start))?.name ?? handleOf(start);
  const column = h("section", { class: "column", data: { testid: "column", who: handleOf(start) } }, h("header", {}, h("strong", {}, name), close), frame);
  columns.append(column);
  draw();
}

function remove(column) {
  column.remove();
  draw();
  remember();
}

function draw() {
  const first = shown()[0] ?? "";
  const place = first.split("/").slice(1, 2);
  const here = new Set(shown().map(handleOf));
  const others = people.filter((known) => !here.has(known.handle));
  const choose = (event) => {
    if (event.target.value) add([event.target.value, ...place].join("/"));
    remember();
  };
  const adding = h("select", { "aria-label": "Add a person", data: { testid: "add-column" }, onchange: choose }, h("option", { value: "" }, "Add a person…"), others.map((known) => h("option", { value: known.handle }, known.name)));
  bar.replaceChildren(h("strong", {}, "Side by side"), h("span", { class: "about" }, "Each column is what one person sees."), columns.children.length < MOST && others.length ? adding : "", h("a", { class: "button", href: `${address("/")}#${first}` }, "One window"));
}

const asked = await fetch(address("/visitor/state"));
people = (await asked.json()).people.filter((known) => known.kind !== "bot" && !known.deleted);
const starts = location.hash.slice(1).split("|").filter(Boolean).map(decodeURIComponent);
const wanted = starts.length ? starts : [people[0].handle];
if (wanted.length === 1) {
  const other = people.find((known) => known.handle !== handleOf(wanted[0]));
  if (other) wanted.push([other.handle, ...wanted[0].split("/").slice(1, 2)].join("/"));
}
wanted.slice(0, MOST).forEach(add);
