// The left column: the workspace, who you are, where you can go.
import { fill, h, icon } from "./dom.js";
import { avatar, menuIsOpen, onRedraw, switcher } from "./people.js";
import { address, go, move, view } from "./store.js";

const read = new Map(); // "person/channel" -> the newest ts seen there
const place = document.getElementById("sidebar");
let drawn = null;

export function drawSidebar(state) {
  drawn = state;
  if (!state.you) return;
  noteRead(state);
  const key = [location.hash, state.teams, state.workspace, state.bot, state.connected, state.people, state.you, state.channels, view.channel, menuIsOpen(), [...read]];
  fill(place, key, () => [
    h("div", { class: "workspace" }, h("span", { class: "mark", "aria-hidden": "true" }, state.workspace.name[0]), h("span", { class: "who" }, h("strong", { data: { testid: "workspace-name" } }, state.workspace.name), h("span", { class: "about" }, "Sandbox workspace")), besideLink()),
    teams(state),
    switcher(state),
    h("div", { class: "places" }, groups(state)),
    connection(state),
  ]);
}

// Opens this window's view with room for somebody else's beside it.
function besideLink() {
  if (window.top !== window) return null;
  const here = encodeURIComponent(location.hash.slice(1));
  return h("a", { class: "plain beside", href: address("/page/beside.html") + `#${here}`, title: "Several people side by side", "aria-label": "Several people side by side", data: { testid: "beside" } }, icon("columns"));
}

function teams(state) {
  const known = Object.entries(state.teams);
  if (known.length < 2) return null;
  const change = (event) => location.assign(`/?team=${encodeURIComponent(event.target.value)}`);
  return h("label", { class: "teams" }, h("span", { class: "about" }, "Workspace"), h("select", { "aria-label": "Workspace", data: { testid: "team" }, onchange: change }, known.map(([id, name]) => h("option", { value: id, selected: id === state.workspace.team_id }, name))));
}

// On a narrow window the column slides in and out; choosing something puts it away again.
export function drawer() {
  const app = document.getElementById("app");
  const close = () => app.classList.remove("drawer-open");
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.getElementById("conversation").addEventListener("click", (event) => event.target.closest(".opener") || close());
  place.addEventListener("click", (event) => event.target.closest(".place, [role=menuitemradio]") && close());
}

onRedraw(() => drawn && drawSidebar(drawn));

function noteRead(state) {
  for (const channel of state.channels) {
    const key = `${state.you.handle}/${channel.id}`;
    const here = state.channel?.id === channel.id && view.person === state.you.handle;
    if (here || !read.has(key)) read.set(key, channel.latest);
  }
}

function groups(state) {
  const channels = state.channels.filter((channel) => ["channel", "group"].includes(channel.kind));
  const among = state.channels.filter((channel) => channel.kind === "mpim");
  const mine = channels.filter((channel) => channel.member && !channel.archived);
  const others = channels.filter((channel) => !channel.member && !channel.archived);
  const archived = channels.filter((channel) => channel.archived);
  const direct = state.channels.find((channel) => channel.id === state.direct);
  return [
    group("Channels", mine.map((channel) => link(state, channel))),
    group("Channels you could join", others.map((channel) => link(state, channel))),
    group("Archived", archived.map((channel) => link(state, channel))),
    group("Direct messages", [directLink(state, direct), ...among.map((channel) => link(state, channel))]),
  ];
}

function group(title, items) {
  return items.length ? h("section", {}, h("h2", {}, title), h("ul", {}, items.map((item) => h("li", {}, item)))) : null;
}

function link(state, channel) {
  const unread = channel.latest > (read.get(`${state.you.handle}/${channel.id}`) ?? "");
  return h(
    "button",
    {
      type: "button",
      class: `place ${channel.member ? "" : "outside"} ${unread ? "unread" : ""}`,
      "aria-current": view.channel === channel.name ? "page" : null,
      data: { testid: "channel-link", channel: channel.name, unread: String(unread) },
      onclick: () => go({ channel: channel.name, thread: "", tab: "messages" }),
    },
    channel.kind === "mpim" ? h("span", { class: "count", "aria-hidden": "true" }, String(channel.label.split(", ").length)) : icon(channel.kind === "group" ? "lock" : "hash"),
    h("span", { class: "name", title: channel.label }, channel.label),
    channel.shared ? h("span", { class: "badge" }, "shared") : null,
    unread ? h("span", { class: "dot", "aria-label": "unread" }) : null,
  );
}

function directLink(state, channel) {
  const name = `@${state.bot.handle}`;
  const unread = channel.latest > (read.get(`${state.you.handle}/${channel.id}`) ?? "");
  return h(
    "button",
    {
      type: "button",
      class: `place ${unread ? "unread" : ""}`,
      "aria-current": view.channel === name ? "page" : null,
      data: { testid: "direct-link", unread: String(unread) },
      onclick: () => {
        if (!view.channel.startsWith("@")) move("look_at", { channel: view.channel });
        go({ channel: name, thread: "", tab: "messages" });
        move("open_dm");
      },
    },
    avatar(state.bot, "small"),
    h("span", { class: "name" }, state.bot.name),
    h("span", { class: "badge app" }, "App"),
    unread ? h("span", { class: "dot", "aria-label": "unread" }) : null,
  );
}

function connection(state) {
  const words = state.connected ? `${state.bot.name} is connected` : `${state.bot.name} is not connected`;
  return h("p", { class: `connection ${state.connected ? "on" : "off"}`, data: { testid: "connection", connected: String(state.connected) } }, h("span", { class: "light", "aria-hidden": "true" }), words);
}
