// The page: draws the newest state, one part after another.
import { renderBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { fill, h, icon } from "./dom.js";
import { editedNow, onEditing } from "./editing.js";
import { arrowsThrough, keepingFocus } from "./keys.js";
import { messageList, stopButton } from "./messages.js";
import { drawModal, noteViewsFromBefore } from "./modal.js";
import { avatar, badge, membersPopover } from "./people.js";
import { drawer, drawSidebar } from "./sidebar.js";
import { go, listenForChanges, move, onChange, person, readAddress, refresh, view } from "./store.js";
import { inView } from "./surface.js";

const $ = (id) => document.getElementById(id);
const writers = { main: composer("main"), thread: composer("thread") };
let membersOpen = false;

onChange((state) => {
  noteViewsFromBefore(state);
  if (!state.you) return begin(state);
  if (!state.channel) return go({ channel: firstChannel(state), thread: "" });
  document.title = `${view.channel} · ${state.workspace.name} (${state.you.name})`;
  drawSidebar(state);
  drawHeader(state);
  drawBanner(state);
  drawMessages(state);
  drawFoot(state);
  drawThread(state);
  drawModal(state);
});

function begin(state) {
  const first = state.people.find((known) => known.kind === "member" && !known.deleted) ?? state.people.find((known) => known.kind !== "bot");
  if (first) go({ person: first.handle, channel: `@${state.bot.handle}` }); // where the app suggests what to ask
}

function firstChannel(state) {
  const mine = state.channels.filter((channel) => channel.member && channel.kind !== "im" && !channel.archived);
  return (mine.find((channel) => channel.name === "general") ?? mine[0])?.name ?? `@${state.bot.handle}`;
}

const isDirect = (state) => state.channel?.kind === "im";
const isHome = (state) => isDirect(state) && view.tab === "home" && state.has_home;

// Header

function drawHeader(state) {
  fill($("header"), [state.channel, state.people, state.bot, state.has_home, view.tab, membersOpen], () => (isDirect(state) ? botHeader(state) : channelHeader(state)));
}

function botHeader(state) {
  const tab = (name, words) => h("button", { type: "button", role: "tab", "aria-selected": String(name === (isHome(state) ? "home" : "messages")), data: { testid: `tab-${name}` }, onclick: () => openTab(name) }, words);
  return [h("div", { class: "title" }, opener(), avatar(state.bot, "small"), h("h1", { data: { testid: "channel-title" } }, state.bot.name), badge(state.bot)), state.has_home ? h("div", { class: "tabs", role: "tablist" }, tab("messages", "Messages"), tab("home", "Home")) : null];
}

// On a narrow window the left column is put away.
function opener() {
  return h("button", { type: "button", class: "plain opener", "aria-label": "Channels and people", "aria-controls": "sidebar", data: { testid: "open-sidebar" }, onclick: () => $("app").classList.toggle("drawer-open") }, icon("menu"));
}

async function openTab(name) {
  view.tab = name;
  await move(name === "home" ? "open_home" : "open_dm");
  refresh();
}

function channelHeader(state) {
  const channel = state.channel;
  return [
    h("div", { class: "title" }, opener(), channel.kind === "mpim" ? null : icon(channel.kind === "group" ? "lock" : "hash"), h("h1", { data: { testid: "channel-title" } }, channel.label), channel.shared ? h("span", { class: "badge", data: { testid: "shared-badge" } }, "shared with another company") : null, h("p", { class: "topic", data: { testid: "channel-topic" } }, channel.topic)),
    h("div", { class: "members" }, guestBadge(channel), membersButton(channel), membersOpen ? membersPopover(channel) : null),
  ];
}

function guestBadge(channel) {
  const others = channel.members.map(person).filter((known) => known && (known.guest || known.kind === "outsider"));
  if (!others.length) return null;
  const words = others.length === 1 ? `1 ${others[0].guest ? "guest" : "outsider"}` : `${others.length} guests and outsiders`;
  return h("span", { class: "badge guest", title: others.map((known) => known.name).join(", "), data: { testid: "guest-badge" } }, words);
}

function membersButton(channel) {
  const faces = channel.members.slice(0, 3).map((id) => avatar(person(id), "small"));
  return h("button", { type: "button", class: "members-button", "aria-expanded": String(membersOpen), "aria-label": `${channel.members.length} members`, data: { testid: "members-button" }, onclick: toggleMembers }, h("span", { class: "faces" }, faces), String(channel.members.length));
}

function toggleMembers() {
  membersOpen = !membersOpen;
  drawHeader(view.state);
}

document.addEventListener("click", (event) => {
  if (membersOpen && !event.target.closest(".members")) toggleMembers();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && membersOpen) toggleMembers();
  else if (event.key === "Escape" && view.thread && !$("modal").open && event.target === document.body) go({ thread: "" });
});

// Middle

function drawBanner(state) {
  fill($("banner"), [state.connected, state.installed, state.bot.name], () => (!state.installed ? [h("p", {}, h("strong", {}, `${state.bot.name} is not installed here. `), "It hears nothing of what is said until somebody allows it in.")] : state.connected ? [] : [h("p", {}, h("strong", {}, `${state.bot.name} is not connected. `), "You can write; it will hear of it when Slack tries again, and commands fail until then.")]));
}

function drawMessages(state) {
  const place = $("messages");
  const home = isHome(state);
  const where = `${view.person}/${view.channel}/${home}`;
  const moved = place.dataset.where !== where;
  const stuck = moved || place.scrollHeight - place.scrollTop - place.clientHeight < 80;
  place.dataset.where = where;
  const key = home ? [where, state.home] : [where, state.messages, state.statuses, state.sessions, state.people, state.channels.map((channel) => channel.name), editedNow()];
  const drawn = keepingFocus(place, () => fill(place, key, () => (home ? homeTab(state) : state.messages.length ? messageList(state.messages) : emptiness(state))));
  if (drawn && stuck && !home) place.scrollTop = place.scrollHeight;
}

function homeTab(state) {
  const shown = state.home ? renderBlocks(state.home.blocks, inView(state.home)) : h("p", {}, `${state.bot.name} shows nothing here yet.`);
  return h("div", { class: "home", data: { testid: "home" } }, shown);
}

function emptiness(state) {
  const direct = isDirect(state);
  const title = direct ? `This is where you talk to ${state.bot.name}` : `This is the start of ${placeName(state)}`;
  const words = direct ? "Only you two can read it. Ask a question." : `Mention @${state.bot.handle} to ask it something.`;
  return h("div", { class: "empty" }, h("h2", {}, title), direct || !state.channel.topic ? null : h("p", {}, state.channel.topic), h("p", {}, words));
}

// Foot

function drawFoot(state) {
  const place = $("foot");
  place.hidden = isHome(state);
  const writing = state.channel.member && !state.channel.archived && !state.you.deleted;
  const prompts = isDirect(state) && writing && !state.messages.length ? state.prompts : [];
  fill(place, [view.person, state.channel.id, writing, state.channel.archived, prompts, statusOf(state, "")], () => [
    statusLine(state, ""),
    prompts.length ? h("div", { class: "prompts" }, h("p", { class: "about" }, state.prompts_title || "For example:"), prompts.map((prompt) => promptButton(prompt))) : null,
    writing ? writers.main.form : cannotWrite(state),
  ]);
  if (writing) writers.main.show(`${view.person}/${view.channel}`, isDirect(state) ? `Message ${state.bot.name}` : `Message ${placeName(state)}`);
}

function placeName(state) {
  return state.channel.kind === "mpim" ? state.channel.label : `#${state.channel.name}`;
}

function promptButton(prompt) {
  return h("button", { type: "button", class: "button", title: prompt.message, data: { testid: "prompt" }, onclick: () => move("post", { channel: view.channel, text: prompt.message }) }, prompt.title);
}

function cannotWrite(state) {
  if (state.you.deleted) return h("p", { class: "cannot" }, `${state.you.name} is deactivated and cannot write.`);
  if (state.channel.archived) return h("p", { class: "cannot" }, "This channel is archived. It can be read and no longer written to.");
  return h("p", { class: "cannot" }, `You are looking into #${state.channel.name}. `, h("button", { type: "button", class: "button primary", data: { testid: "join" }, onclick: () => move("join", { channel: view.channel }) }, "Join channel"));
}

function statusOf(state, threadTs) {
  return state.statuses.find((status) => status.channel_id === state.channel.id && status.thread_ts === threadTs);
}

function statusLine(state, threadTs) {
  const status = statusOf(state, threadTs);
  if (!status) return null;
  const words = status.loading_messages[0] ?? `${state.bot.name} ${status.text}`;
  return h("p", { class: "status", role: "status", data: { testid: "status-line" } }, avatar(state.bot, "tiny"), h("span", {}, words), h("span", { class: "dots", "aria-hidden": "true" }));
}

// Thread

function drawThread(state) {
  const pane = $("thread");
  pane.hidden = !view.thread || isHome(state);
  if (pane.hidden) return;
  if (!pane.firstChild) {
    pane.append(h("header"), h("section", { class: "list", role: "log", "aria-label": "Thread", tabindex: "0", data: { testid: "thread-messages" } }), h("footer"));
    arrowsThrough(pane.children[1]);
  }
  const [head, list, foot] = pane.children;
  const name = isDirect(state) ? state.bot.name : placeName(state);
  fill(head, [name], () => [h("div", { class: "title" }, h("h2", {}, "Thread"), h("p", { class: "topic" }, name)), h("button", { type: "button", class: "plain", "aria-label": "Close thread", data: { testid: "thread-close" }, onclick: () => go({ thread: "" }) }, icon("close"))]);
  const stuck = list.dataset.where !== view.thread || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.dataset.where = view.thread;
  const drawn = keepingFocus(list, () => fill(list, [view.person, state.thread, state.people, editedNow()], () => [messageList(state.thread.slice(0, 1), { thread: true }), replyLine(state), messageList(state.thread.slice(1), { thread: true })]));
  drawThreadFoot(state, foot);
  if (drawn && stuck) list.scrollTop = list.scrollHeight;
}

function replyLine(state) {
  const replies = state.thread.length - 1;
  return replies > 0 ? h("div", { class: "day replies", role: "separator" }, h("span", {}, replies === 1 ? "1 reply" : `${replies} replies`)) : null;
}

function drawThreadFoot(state, foot) {
  const writing = state.channel.member && !state.channel.archived && !state.you.deleted;
  const stoppable = state.sessions.some((session) => session.stoppable && session.channel_id === state.channel.id && session.thread_ts === view.thread);
  fill(foot, [view.person, view.thread, writing, statusOf(state, view.thread), stoppable], () => [h("div", { class: "doing" }, statusLine(state, view.thread), stopButton(state.channel.id, view.thread)), writing ? writers.thread.form : null]);
  if (writing) writers.thread.show(`${view.person}/${view.channel}/${view.thread}`, "Reply…");
}

onEditing(() => {
  drawMessages(view.state);
  drawThread(view.state);
});
arrowsThrough($("messages"));
drawer();

window.addEventListener("hashchange", () => {
  readAddress();
  refresh();
});
readAddress();
refresh();
listenForChanges();
