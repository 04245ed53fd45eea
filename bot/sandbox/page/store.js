// Who looks at what, and the newest state for them.
import { notice } from "./dom.js";

const team = new URLSearchParams(location.search).get("team");

// An address of the sandbox, in the workspace that this window looks at.
export function address(path, given = {}) {
  const query = new URLSearchParams(team ? { team, ...given } : given).toString();
  return query ? `${path}?${query}` : path;
}

export const view = { person: "", channel: "", thread: "", tab: "messages", state: null };
const listeners = [];
let asked = 0;

export function onChange(listener) {
  listeners.push(listener);
}

async function answerOf(response) {
  const answer = await response.json();
  if (answer.error) throw new Error(answer.error);
  return answer;
}

export async function move(name, given = {}) {
  try {
    const body = JSON.stringify({ person: view.person, ...given });
    const headers = { "Content-Type": "application/json" };
    return await answerOf(await fetch(address(`/visitor/${name}`), { method: "POST", headers, body }));
  } catch (problem) {
    notice(problem.message);
    return null;
  }
}

export async function upload(file) {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  try {
    return (await answerOf(await fetch(address("/visitor/upload", { person: view.person, name: file.name }), { method: "POST", headers, body: file }))).file_id;
  } catch (problem) {
    notice(`${file.name} could not be attached: ${problem.message}`);
    return null;
  }
}

export async function refresh() {
  const mine = ++asked;
  const asking = Object.fromEntries(["person", "channel", "thread"].filter((name) => view[name]).map((name) => [name, view[name]]));
  try {
    const state = await answerOf(await fetch(address("/visitor/state", asking)));
    if (mine !== asked) return; // a newer question is under way
    view.state = state;
    listeners.forEach((listener) => listener(state));
  } catch (problem) {
    if (mine !== asked) return;
    if (problem instanceof TypeError) return; // no connection: the stream of changes comes back by itself
    if (view.person) go({ person: "", channel: "", thread: "" }); // the address names nobody
    else notice(`The sandbox does not answer: ${problem.message}`);
  }
}

export function go(changes) {
  Object.assign(view, changes);
  const parts = [view.person, view.channel, view.thread].filter(Boolean).map(encodeURIComponent);
  const hash = `#${parts.join("/")}`;
  if (location.hash !== hash) history.replaceState(null, "", hash);
  return refresh();
}

export function readAddress() {
  const [person = "", channel = "", thread = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
  Object.assign(view, { person, channel, thread });
}

export function listenForChanges() {
  const source = new EventSource(address("/visitor/changes"));
  source.onmessage = refresh;
}

export function person(userId) {
  return view.state?.people.find((known) => known.user_id === userId);
}

export function channelName(channelId) {
  return view.state?.channels.find((known) => known.id === channelId)?.name;
}
