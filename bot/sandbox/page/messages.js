// Messages as they are read: faces, times, blocks, files, threads.
import { renderBlocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { avatar, badge } from "./people.js";
import { editor, isEdited, startEditing } from "./editing.js";
import { address, go, move, person, view } from "./store.js";
import { onMessage } from "./surface.js";
import { emoji, mrkdwn } from "./words.js";

const NEAR_SECONDS = 300;

export function messageList(messages, { thread = false } = {}) {
  const nodes = [];
  let before = null;
  for (const message of messages) {
    if (!thread && (!before || day(before) !== day(message))) nodes.push(dayLine(message));
    nodes.push(one(message, { compact: follows(before, message), thread }));
    before = message;
  }
  return nodes;
}

function follows(before, message) {
  return (
    before && before.user_id === message.user_id && before.ephemeral === message.ephemeral && !message.ephemeral &&
    !before.reply_count && day(before) === day(message) && Number(message.ts) - Number(before.ts) < NEAR_SECONDS
  );
}

const moment = (message) => new Date(Number(message.ts) * 1000);
const day = (message) => moment(message).toDateString();
const clock = (message) => moment(message).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function dayLine(message) {
  const today = new Date().toDateString() === day(message);
  const words = today ? "Today" : moment(message).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
  return h("div", { class: "day", role: "separator" }, h("span", {}, words));
}

function one(message, { compact, thread }) {
  const known = person(message.user_id) ?? { user_id: message.user_id, name: message.author, kind: "bot" };
  const time = h("time", { datetime: moment(message).toISOString(), title: moment(message).toLocaleString() }, clock(message));
  return h(
    "article",
    {
      class: `message ${compact ? "compact" : ""} ${message.ephemeral ? "ephemeral" : ""}`,
      "aria-label": `${message.author}, ${clock(message)}`,
      tabindex: "-1",
      data: { testid: "message", ts: message.ts, by: known.handle ?? message.author, ephemeral: String(message.ephemeral), bot: String(message.by_bot) },
    },
    message.ephemeral ? h("p", { class: "only-you", data: { testid: "ephemeral-tag" } }, icon("eye"), "Only visible to you") : null,
    h("div", { class: "gutter" }, compact ? time.cloneNode(true) : avatar(known)),
    h(
      "div",
      { class: "body" },
      compact ? null : h("p", { class: "by" }, h("strong", {}, message.author), badge(known), time),
      isEdited(message) ? editor(message) : content(message),
      message.files.map(fileCard),
      reactions(message),
      thread ? null : threadLink(message),
    ),
    tools(message, thread),
  );
}

function content(message) {
  const typed = message.blocks.length === 1 && message.blocks[0].type === "rich_text" && !message.by_bot;
  const blocks = message.blocks.length && !typed;
  if (!blocks && !message.text) return null;
  return h(
    "div",
    { class: `text ${message.streaming ? "streaming" : ""}`, data: { testid: "message-text" } },
    blocks ? renderBlocks(message.blocks, onMessage(message)) : h("div", { class: "mrkdwn" }, mrkdwn(message.text)),
    message.edited ? h("span", { class: "edited" }, "(edited)") : null,
  );
}

function fileCard(file) {
  if (file.mode === "tombstone") return h("p", { class: "file gone", data: { testid: "file" } }, icon("file"), "This file was deleted.");
  const href = address(`/visitor/files/${encodeURIComponent(file.id)}`, { person: view.person });
  const size = file.size < 1024 ? `${file.size} bytes` : file.size < 1024 ** 2 ? `${Math.round(file.size / 1024)} KB` : `${(file.size / 1024 ** 2).toFixed(1)} MB`;
  return h("a", { class: "file", href, download: file.name, data: { testid: "file" } }, icon("file"), h("span", {}, h("strong", {}, file.title), h("span", { class: "about" }, `${file.pretty_type ?? ""} · ${size}`)));
}

function reactions(message) {
  const names = Object.entries(message.reactions);
  return names.length ? h("p", { class: "reactions" }, names.map(([name, users]) => reaction(message, name, users))) : null;
}

function reaction(message, name, users) {
  const mine = users.includes(view.state.you.user_id);
  const who = users.map((id) => person(id)?.name ?? id).join(", ");
  return h("button", { type: "button", class: "reaction", title: who, "aria-pressed": String(mine), "aria-label": `${name}: ${who}`, data: { testid: "reaction", name }, onclick: () => move("react", { channel: message.channel_id, ts: message.ts, name }) }, `${emoji(`:${name}:`)} ${users.length}`);
}

// The button that stops an answer while it is being made, where the app listens to it.
export function stopButton(channelId, threadTs) {
  const session = view.state.sessions.find((known) => known.stoppable && known.channel_id === channelId && known.thread_ts === threadTs);
  if (!session) return null;
  return h("button", { type: "button", class: "stop", data: { testid: "stop" }, onclick: () => move("stop", { channel: channelId, thread_ts: threadTs }) }, h("span", { class: "square", "aria-hidden": "true" }), "Stop");
}

function threadLink(message) {
  const status = view.state.statuses.find((known) => known.thread_ts === message.ts && known.channel_id === message.channel_id);
  const working = status ? h("span", { class: "working", data: { testid: "status-line" } }, `${view.state.bot.name} ${status.text}`) : null;
  const stop = stopButton(message.channel_id, message.ts);
  if (!message.reply_count && !working && !stop) return null;
  const words = message.reply_count === 1 ? "1 reply" : message.reply_count ? `${message.reply_count} replies` : "View thread";
  return h("p", { class: "thread-link" }, h("button", { type: "button", data: { testid: "thread-open" }, onclick: () => go({ thread: message.ts }) }, words), working, stop);
}

// What the app offers for any message, in the menu that Slack has there.
function shortcuts(message) {
  const offered = view.state.shortcuts ?? [];
  if (!offered.length) return null;
  const menu = h(
    "details",
    { class: "overflow", data: { testid: "message-menu" } },
    h("summary", { "aria-label": "More actions", title: "More actions" }, "⋯"),
    h("div", { class: "items", role: "menu" }, offered.map((one) => h("button", { type: "button", role: "menuitem", data: { testid: "shortcut", value: one.id }, onclick: () => choose(one) }, one.text))),
  );
  function choose(one) {
    menu.open = false;
    move("shortcut", { channel: message.channel_id, ts: message.ts, callback_id: one.id });
  }
  return menu;
}

function tools(message, thread) {
  if (message.ephemeral) return null;
  const own = message.user_id === view.state.you.user_id;
  const where = { channel: message.channel_id, ts: message.ts };
  const tool = (testid, words, name, onclick) => h("button", { type: "button", title: words, "aria-label": words, data: { testid }, onclick }, icon(name));
  return h(
    "div",
    { class: "tools" },
    tool("react", "React with a thumb", "thumb", () => move("react", { ...where, name: "+1" })),
    thread ? null : tool("reply-in-thread", "Reply in thread", "reply", () => go({ thread: message.thread_ts ?? message.ts })),
    own ? tool("edit", "Edit", "pen", () => startEditing(message)) : null,
    own ? tool("delete", "Delete", "bin", () => move("delete", where)) : null,
    thread ? null : shortcuts(message),
  );
}
