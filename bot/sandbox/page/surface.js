// Where blocks stand: what an action does there, what menus offer, and what is chosen so far.
import { confirmed } from "./confirm.js";
import { move } from "./store.js";

// `act` resolves to false when the person thinks better of it.
function surface(values, act, suggest) {
  return {
    stateOf: (block, element) => values?.[block.block_id]?.[element.action_id] ?? {},
    act: async (element, value) => {
      if (element.confirm && !(await confirmed(element.confirm))) return false;
      await act(element, value);
      return true;
    },
    suggest: async (element, query) => (await suggest(element, query))?.options ?? [],
  };
}

export function onMessage(message) {
  const place = { channel: message.channel_id, ts: message.ts };
  return surface(
    message.values,
    (element, value) => move("click", { ...place, action_id: element.action_id, value }),
    (element, query) => move("suggest", { ...place, action_id: element.action_id, query }),
  );
}

export function inView(seen) {
  return surface(
    seen.state_values,
    (element, value) => move("act", { view_id: seen.id, action_id: element.action_id, value }),
    (element, query) => move("suggest", { view_id: seen.id, action_id: element.action_id, query }),
  );
}
