// Building the page. Text becomes text nodes only: nothing that anybody wrote is ever read as HTML.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "class") element.className = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}

const PATHS = {
  lock: "M5 7V5a3 3 0 0 1 6 0v2h1v7H4V7h1Zm1.5 0h3V5a1.5 1.5 0 0 0-3 0v2Z",
  hash: "M6.3 2 5.8 5H3v1.5h2.6l-.5 3H2V11h2.9l-.5 3h1.5l.5-3h3l-.5 3h1.5l.5-3H14V9.500h-2.600l.5-3H15V5h-2.900l.5-3h-1.500l-.5 3h-3l.5-3H6.300Zm.8 4.500h3l-.5 3h-3l.5-3Z",
  eye: "M8 3.500C4.500 3.500 2 6.500 1 8c1 1.500 3.500 4.500 7 4.500s6-3 7-4.500c-1-1.500-3.500-4.500-7-4.500Zm0 7A2.500 2.500 0 1 1 8 5.500a2.500 2.500 0 0 1 0 5Z",
  clip: "M11.500 4.500v6.300a3.500 3.500 0 0 1-7 0V4a2.300 2.300 0 0 1 4.600 0v6.300a1.100 1.100 0 0 1-2.200 0V5H5.700v5.300a2.300 2.300 0 0 0 4.600 0V4a3.500 3.500 0 0 0-7 0v6.800a4.700 4.700 0 0 0 9.400 0V4.500h-1.200Z",
  send: "M2 2.500 14.500 8 2 13.500 3.500 8.700 9 8 3.500 7.300 2 2.500Z",
  reply: "M7 3v2.500C11.500 5.700 14 8 14.500 13c-1.500-2.500-3.500-3.700-7.500-3.700V12L1.500 7.500 7 3Z",
  close: "m3.700 2.600 4.300 4.300 4.300-4.300 1.100 1.100L9.100 8l4.300 4.300-1.100 1.100L8 9.100l-4.300 4.300-1.100-1.100L6.900 8 2.600 3.700l1.100-1.100Z",
  chevron: "m3.500 5.500 4.500 4.500 4.500-4.500 1 1L8 12 2.500 6.500l1-1Z",
  file: "M4 1.500h5L12.500 5v9.500H4v-13ZM8.500 3v2.500H11L8.500 3Z",
  thumb: "M1.500 7h2.500v7H1.500V7Zm3.700 0L7.800 1.700c1.100 0 1.900.8 1.900 1.900V6h3.600c.9 0 1.600.8 1.400 1.700l-1 4.900c-.2.800-.8 1.400-1.600 1.400H5.200V7Z",
  pen: "M11.6 1.600 14.400 4.400 5.400 13.400 1.800 14.200 2.600 10.600 11.600 1.600Zm0 2.100-7.700 7.700-.3 1.100 1.100-.3 7.700-7.700-.800-.8Z",
  bin: "M6 1.500h4l.5 1H14V4H2V2.500h3.500l.5-1ZM3 5h10l-.7 9.500H3.700L3 5Zm1.600 1.500.500 6.500h5.800l.5-6.500H4.600Z",
  bolt: "M9.500 1 3 9h4l-1 6 7-8.500H8.700L9.500 1Z",
  menu: "M2 3.500h12V5H2V3.500Zm0 3.750h12v1.500H2v-1.500ZM2 11h12v1.500H2V11Z",
  columns: "M1.500 2.500h13v11h-13v-11ZM3 4v8h4.250V4H3Zm5.750 0v8H13V4H8.750Z",
  check: "m6.500 12-4-4 1.100-1.100 2.900 2.900 6-6L13.600 5l-7.100 7Z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function notice(sentence) {
  const note = h("p", { data: { testid: "notice" }, class: "notice" }, sentence);
  document.getElementById("notices").append(note);
  setTimeout(() => note.remove(), 7000);
}

// Replaces the children of a place only when what they show has changed, so that focus and selection stay.
const shown = new WeakMap();

export function fill(place, key, build) {
  const wanted = JSON.stringify(key);
  if (shown.get(place) === wanted) return false;
  shown.set(place, wanted);
  place.replaceChildren(...flat([build()]));
  return true;
}

export function forget(place) {
  shown.delete(place);
}
