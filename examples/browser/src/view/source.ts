//! The guests' source, with the number of coroutines that wait at each line.

import chatClient from "../../guests/chat-client.c?raw";
import chatServer from "../../guests/chat-server.c?raw";
import crowd from "../../guests/crowd.h?raw";
import echoClient from "../../guests/echo-client.c?raw";
import echoServer from "../../guests/echo-server.c?raw";
import { HOSTS, type HostKind, type Picture, type TaskDetail } from "../engine/protocol.ts";
import { byId, make, setText } from "./dom.ts";
import { count } from "./format.ts";
import { highlight } from "./highlight.ts";
import { KINDS, kindOf } from "./palette.ts";
import { callOf, Places } from "./places.ts";

interface SourceFile {
  readonly name: string;
  readonly text: string;
  /** The programs that it is part of. */
  readonly kinds: readonly HostKind[];
}

const FILES: readonly SourceFile[] = [
  { name: "echo-server.c", text: echoServer, kinds: ["echo-server"] },
  { name: "echo-client.c", text: echoClient, kinds: ["echo-client"] },
  { name: "chat-server.c", text: chatServer, kinds: ["chat-server"] },
  { name: "chat-client.c", text: chatClient, kinds: ["chat-client"] },
  { name: "crowd.h", text: crowd, kinds: ["echo-client", "chat-client"] },
];

/** How often counts are written, in ms. */
const WRITE_MS = 200;

export class Source {
  readonly #tabs: HTMLButtonElement[];
  readonly #code = byId("code");
  readonly #places = FILES.map(({ text }) => new Places(text));
  /** Of the file that is shown, by line. */
  #lines: { readonly row: HTMLElement; readonly badge: HTMLElement }[] = [];
  #file = -1;
  #writtenMs = 0;

  constructor() {
    this.#tabs = FILES.map(({ name }, index) => {
      const tab = make("button", { type: "button", role: "tab", id: `tab-${index}`, text: name });
      tab.setAttribute("aria-controls", "code");
      tab.addEventListener("click", () => this.#show(index));
      tab.addEventListener("keydown", (event) => this.#onKey(event, index));
      return tab;
    });
    byId("tabs").append(...this.#tabs);
    this.#show(0);
  }

  /** Shows the program of a host. */
  showHost(host: number): void {
    const { kind } = HOSTS[host]!;
    this.#show(FILES.findIndex(({ kinds }) => kinds[0] === kind));
  }

  /** Marks the line that a coroutine waits at, if its file is shown. */
  mark(task: TaskDetail | undefined): void {
    const place = task && this.#placeOf(task);
    this.#markLine(place?.file === this.#file ? place?.line : undefined);
  }

  /** Shows the file that a coroutine waits in, and the line. */
  reveal(task: TaskDetail): void {
    const place = this.#placeOf(task);
    this.#show(place?.file ?? this.#filesOf(task)[0]!);
    this.mark(task);
    const row = place === undefined ? undefined : this.#lines[place.line]?.row;
    if (row !== undefined) this.#code.scrollTop = row.offsetTop - this.#code.clientHeight / 2;
  }

  /** Writes how many coroutines wait at each line. */
  update({ waits, waitCounts }: Picture, nowMs: number): void {
    if (nowMs - this.#writtenMs < WRITE_MS) return;
    this.#writtenMs = nowMs;
    const file = FILES[this.#file]!;
    const places = this.#places[this.#file]!;
    const counts = new Map<number, { tasks: number; kind: number }>();
    for (const [index, wait] of waits.entries()) {
      const call = callOf(wait);
      const line = call === undefined ? undefined : places.lineOf(call);
      if (line === undefined) continue;
      const tasks = file.kinds.reduce((sum, kind) => sum + (waitCounts[kind]?.[index] ?? 0), 0);
      const before = counts.get(line)?.tasks ?? 0;
      counts.set(line, { tasks: tasks + before, kind: kindOf(wait) });
    }
    for (const [line, { badge, row }] of this.#lines.entries()) {
      const found = counts.get(line);
      const text = found === undefined ? "" : count(found.tasks);
      setText(badge, text);
      row.classList.toggle("waits", found !== undefined);
      const color = found === undefined ? "" : `var(${KINDS[found.kind]!.variable})`;
      if (badge.style.getPropertyValue("--kind") !== color) {
        badge.style.setProperty("--kind", color);
      }
    }
  }

  #placeOf(task: TaskDetail): { file: number; line: number } | undefined {
    for (const file of this.#filesOf(task)) {
      const line = this.#places[file]!.lineOfTask(task);
      if (line !== undefined) return { file, line };
    }
    return undefined;
  }

  #filesOf({ host }: TaskDetail): number[] {
    const { kind } = HOSTS[host]!;
    return FILES.flatMap(({ kinds }, index) => (kinds.includes(kind) ? [index] : []));
  }

  #show(file: number): void {
    if (file === this.#file || file < 0) return;
    this.#file = file;
    this.#writtenMs = 0;
    for (const [index, tab] of this.#tabs.entries()) {
      tab.setAttribute("aria-selected", String(index === file));
      tab.tabIndex = index === file ? 0 : -1;
    }
    this.#code.setAttribute("aria-labelledby", `tab-${file}`);
    this.#lines = highlight(FILES[file]!.text).map((pieces) => {
      const badge = make("span", { class: "badge" });
      const text = make(
        "code",
        {},
        pieces.map(({ kind, text: piece }) => make("span", { class: `c-${kind}`, text: piece })),
      );
      return { badge, row: make("div", { class: "line" }, [badge, text]) };
    });
    this.#code.replaceChildren(...this.#lines.map(({ row }) => row));
    this.#code.scrollTop = 0;
  }

  #markLine(line: number | undefined): void {
    for (const [index, { row }] of this.#lines.entries()) {
      row.classList.toggle("here", index === line);
    }
  }

  #onKey(event: KeyboardEvent, index: number): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = (index + step + FILES.length) % FILES.length;
    this.#show(next);
    this.#tabs[next]!.focus();
    event.preventDefault();
  }
}
