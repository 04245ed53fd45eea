// Faces, badges, and the menu that decides who you are.
import { h, icon } from "./dom.js";
import { go, person, view } from "./store.js";

export function avatar(known, size = "") {
  const name = known?.name ?? "?";
  const initials = known?.kind === "bot" ? name[0].toUpperCase() : name.split(/\s+/).slice(0, 2).map((word) => /[\p{L}\d]/u.exec(word)?.[0] ?? "").join("").toUpperCase();
  const hue = [...(known?.user_id ?? "")].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % 8;
  return h("span", { class: `avatar hue-${known?.kind === "bot" ? "bot" : hue} ${size}`, "aria-hidden": "true" }, initials);
}

export function badge(known) {
  if (!known) return null;
  if (known.kind === "bot") return h("span", { class: "badge app" }, "App");
  if (known.deleted) return h("span", { class: "badge" }, "Deactivated");
  if (known.guest) return h("span", { class: "badge guest" }, known.standing === "guest" ? "Guest" : "Single-channel guest");
  if (known.kind === "outsider") return h("span", { class: "badge guest" }, "External");
  return null;
}

// Ordinary members are not told apart: only who is a guest, from elsewhere or gone is worth a word.
export function about(known) {
  const standing = known.standing === "full member" ? "" : known.standing;
  return [`@${known.handle}`, known.title, standing].filter(Boolean).join(" · ");
}

function words(known) {
  return [h("span", { class: "name", title: known.name }, known.name), h("span", { class: "about", title: about(known) }, about(known))];
}

let open = false;

export function switcher(state) {
  const you = state.you;
  const button = h(
    "button",
    { class: "switcher", type: "button", "aria-haspopup": "menu", "aria-expanded": String(open), data: { testid: "person-switcher", handle: you.handle }, onclick: toggle },
    avatar(you, "large"),
    h("span", { class: "who" }, h("span", { class: "label" }, "You are"), words(you)),
    icon("chevron"),
  );
  return h("div", { class: "switch" }, button, open ? menu(state) : null);
}

function toggle() {
  open = !open;
  redraw();
  if (open) document.querySelector('[role="menuitemradio"][aria-checked="true"]')?.focus();
}

function menu(state) {
  const options = state.people.filter((known) => known.kind !== "bot").map(option);
  return h("div", { class: "menu", role: "menu", "aria-label": "Become somebody else", onkeydown: steer }, h("p", { class: "menu-title" }, "Look through somebody else’s eyes"), options);
}

function option(known) {
  const mine = known.handle === view.person;
  return h(
    "button",
    { type: "button", role: "menuitemradio", "aria-checked": String(mine), data: { testid: "person-option", handle: known.handle }, onclick: () => become(known) },
    avatar(known),
    h("span", { class: "who" }, words(known)),
    mine ? icon("check") : null,
  );
}

function steer(event) {
  if (event.key === "Escape") return toggle(), document.querySelector(".switcher")?.focus();
  if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  const items = [...document.querySelectorAll('[role="menuitemradio"]')];
  const step = event.key === "ArrowDown" ? 1 : -1;
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
}

function become(known) {
  open = false;
  // Stay in the same conversation where that person can see it; the server says otherwise.
  const direct = view.channel.startsWith("@");
  go({ person: known.handle, thread: direct ? "" : view.thread, tab: "messages" });
  redraw();
}

export const menuIsOpen = () => open;
let redraw = () => {};
export function onRedraw(callback) {
  redraw = callback;
}

document.addEventListener("click", (event) => {
  if (open && !event.target.closest(".switch")) toggle();
});

export function membersPopover(channel) {
  const rows = channel.members.map(person).filter(Boolean).map((known) =>
    h("li", { data: { testid: "member", handle: known.handle } }, avatar(known, "small"), h("span", { class: "who" }, words(known)), badge(known)),
  );
  return h("div", { class: "popover", role: "dialog", "aria-label": "Members" }, h("ul", {}, rows));
}
