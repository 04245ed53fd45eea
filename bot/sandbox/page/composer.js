// Where one writes: words, files, slash commands, names.
import { h, icon, notice } from "./dom.js";
import { move, upload, view } from "./store.js";

export function composer(place) {
  return new Composer(place);
}

class Composer {
  constructor(place) {
    this.place = place; // "main" or "thread"
    this.files = [];
    this.hints = [];
    this.chosen = 0;
    this.drafts = new Map();
  }

  // Built once the first state is there: it says which shortcuts there are.
  get form() {
    if (!this.form_) this.build();
    return this.form_;
  }

  build() {
    const testid = (name) => ({ testid: name, place: this.place });
    this.input = h("textarea", { rows: 1, "aria-label": "Message", data: testid("composer-input"), oninput: () => this.changed(), onkeydown: (event) => this.key(event), onpaste: (event) => this.pasted(event) });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, data: testid("attach"), onchange: () => this.attach([...this.picker.files]) });
    this.button = h("button", { type: "submit", class: "send", "aria-label": "Send", data: testid("send") }, icon("send"));
    this.chips = h("ul", { class: "chips", hidden: true });
    this.list = h("ul", { class: "hints", role: "listbox", hidden: true });
    const clip = h("button", { type: "button", class: "plain", title: "Attach a file", "aria-label": "Attach a file", onclick: () => this.picker.click() }, icon("clip"));
    this.form_ = h("form", { class: "composer", data: testid("composer"), onsubmit: (event) => this.submitted(event) }, this.list, this.chips, this.input, h("div", { class: "row" }, clip, this.picker, this.shortcuts(), h("span", { class: "about" }, "Enter sends · Shift+Enter for a new line · / for commands · @ for names"), this.button));
    this.form_.addEventListener("dragover", (event) => event.preventDefault());
    this.form_.addEventListener("drop", (event) => {
      event.preventDefault();
      this.attach([...event.dataTransfer.files]);
    });
  }

  // What the app offers wherever one is: it hears of no message and no channel.
  shortcuts() {
    const offered = this.place === "main" ? (view.state?.global_shortcuts ?? []) : [];
    if (!offered.length) return null;
    const choose = (one) => {
      menu.open = false;
      move("global_shortcut", { callback_id: one.id });
    };
    const items = offered.map((one) => h("button", { type: "button", role: "menuitem", data: { testid: "global-shortcut", value: one.id }, onclick: () => choose(one) }, one.text));
    const menu = h("details", { class: "overflow upwards", data: { testid: "global-shortcuts" } }, h("summary", { class: "plain", "aria-label": "Shortcuts", title: "Shortcuts" }, icon("bolt")), h("div", { class: "items", role: "menu" }, items));
    return menu;
  }

  // Each person keeps an own draft in each conversation.
  show(key, placeholder) {
    if (!this.form_) this.build();
    if (this.key_ === key) return;
    if (this.key_) this.drafts.set(this.key_, this.input.value);
    this.key_ = key;
    this.input.value = this.drafts.get(key) ?? "";
    this.input.placeholder = placeholder;
    this.files = [];
    this.showFiles();
    this.changed();
  }

  focus() {
    this.input.focus();
  }

  changed() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 240)}px`;
    this.button.disabled = !this.input.value.trim() && !this.files.length;
    this.offer();
  }

  offer() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const command = /^\/(\S*)$/.exec(before);
    const name = /(?:^|\s)@([a-z0-9._-]*)$/i.exec(before);
    if (command) this.hints = commandHints(command[0]);
    else if (name) this.hints = nameHints(name[1].toLowerCase());
    else this.hints = [];
    this.chosen = 0;
    this.showHints();
  }

  showHints() {
    this.list.hidden = !this.hints.length;
    this.list.replaceChildren(
      ...this.hints.map((hint, index) =>
        h("li", { role: "option", "aria-selected": String(index === this.chosen), data: { testid: "hint", value: hint.value }, onmousedown: (event) => (event.preventDefault(), this.take(index)) }, h("strong", {}, hint.value), hint.usage ? h("code", {}, hint.usage) : null, h("span", { class: "about" }, hint.about)),
      ),
    );
  }

  take(index) {
    const hint = this.hints[index];
    const end = this.input.selectionStart;
    const start = this.input.value.slice(0, end).search(/\S*$/);
    this.input.setRangeText(`${hint.value} `, start, end, "end");
    this.changed();
    this.focus();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.hints.length && this.keyInHints(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submitted(event);
    }
  }

  keyInHints(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.chosen = (this.chosen + step + this.hints.length) % this.hints.length;
      this.showHints();
      return true;
    }
    if (event.key === "Escape") {
      this.hints = [];
      this.showHints();
      return true;
    }
    const complete = this.input.value.trim() === this.hints[this.chosen].value;
    if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !complete)) {
      this.take(this.chosen);
      return true;
    }
    return false;
  }

  pasted(event) {
    const files = [...event.clipboardData.files];
    if (files.length) this.attach(files);
  }

  async attach(files) {
    for (const file of files) {
      const id = await upload(file);
      if (id) this.files.push({ id, name: file.name });
    }
    this.picker.value = "";
    this.showFiles();
    this.changed();
  }

  showFiles() {
    this.chips.hidden = !this.files.length;
    this.chips.replaceChildren(
      ...this.files.map((file) =>
        h("li", { data: { testid: "attached" } }, icon("file"), file.name, h("button", { type: "button", class: "plain", "aria-label": `Remove ${file.name}`, onclick: () => this.drop(file) }, "×")),
      ),
    );
  }

  drop(file) {
    this.files = this.files.filter((other) => other !== file);
    this.showFiles();
    this.changed();
  }

  async submitted(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text && !this.files.length) return;
    const command = /^(\/\S+)\s*([\s\S]*)$/.exec(text);
    if (command && this.place === "thread") return notice(`${command[1]} is not supported in threads. Sorry!`);
    const sent = { text: this.input.value, files: this.files };
    this.clear();
    const done = command
      ? await move("command", { channel: view.channel, command: command[1], text: command[2] })
      : await move("post", { channel: view.channel, text, thread_ts: this.place === "thread" ? view.thread : null, files: sent.files.map((file) => file.id) });
    if (done === null) this.putBack(sent);
  }

  clear() {
    this.input.value = "";
    this.files = [];
    this.showFiles();
    this.changed();
  }

  putBack({ text, files }) {
    if (this.input.value) return;
    this.input.value = text;
    this.files = files;
    this.showFiles();
    this.changed();
  }
}

function commandHints(start) {
  return view.state.commands
    .filter((command) => command.name.startsWith(start))
    .map((command) => ({ value: command.name, usage: command.hint, about: command.description }));
}

function nameHints(start) {
  const bot = view.state.bot;
  return [bot, ...view.state.people.filter((known) => known.user_id !== bot.user_id)]
    .filter((known) => !known.deleted && (known.handle.startsWith(start) || known.name.toLowerCase().startsWith(start)))
    .slice(0, 6)
    .map((known) => ({ value: `@${known.handle}`, about: [known.name, known.title].filter(Boolean).join(" · ") }));
}
