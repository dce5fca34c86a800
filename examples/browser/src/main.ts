//! The page: an engine, the picture of it, and the controls.

import { LocalEngine } from "./engine/local-engine.ts";
import { type Engine, HOSTS, type Picture, type Settings } from "./engine/protocol.ts";
import { WorkerEngine } from "./engine/worker-engine.ts";
import { FrameWork } from "./frame-work.ts";
import { inspect } from "./inspect.ts";
import { CALM } from "./view/calm.ts";
import { Controls } from "./view/controls.ts";
import { byId, setText } from "./view/dom.ts";
import { Errors } from "./view/errors.ts";
import { Figures } from "./view/figures.ts";
import { Hosts } from "./view/hosts.ts";
import { Legend } from "./view/legend.ts";
import { RacePanel } from "./view/race-panel.ts";
import { Source } from "./view/source.ts";
import { Stage } from "./view/stage.ts";
import { nameOf, TaskPanel } from "./view/task-panel.ts";
import { startTheme } from "./view/theme.ts";

/** Of the 16 ms that a frame has: the rest is for the picture and the browser. */
const WORLD_MS = 7;

const START: Settings = {
  tasks: matchMedia("(max-width: 620px)").matches ? 400 : 1_000,
  latencyMs: 40,
  loss: 0,
  speed: 0.2,
  seed: 7,
};

const work = new FrameWork();
const figures = new Figures();
const legend = new Legend();
const errors = new Errors();
const source = new Source();
const panel = new TaskPanel();
let engine: Engine = new LocalEngine(fail);
let picture: Picture | undefined;
/** The coroutine that has to be shown as soon as the engine tells of it. */
let revealing = false;

const stage = new Stage(byId<HTMLCanvasElement>("stage"), {
  cell: ({ host, cell }) => select(host, cell),
  moved: ({ host, cell }) => {
    setText(byId("announce"), `${HOSTS[host]!.name}, cell ${cell + 1}`);
  },
  host: (host) => chooseHost(host),
  placed: (boxes) => hosts.place(boxes),
});
const hosts = new Hosts((host) => chooseHost(host));

const controls = new Controls(START, {
  send: (command) => engine.send(command),
  worker: (on) => {
    engine.close();
    engine = on ? new WorkerEngine(fail) : new LocalEngine(fail);
    open();
  },
  reopen: () => open(),
});

function open(): void {
  picture = failure = undefined;
  stage.selected = undefined;
  panel.show(undefined);
  source.mark(undefined);
  work.clear();
  engine.send({ type: "open", settings: controls.settings });
  engine.send({ type: "pause", paused: controls.paused });
}

function chooseHost(host: number): void {
  controls.host = host;
  source.showHost(host);
}

function select(host: number, cell: number): void {
  chooseHost(host);
  if (!isTaken(host, cell)) {
    revealing = false;
    engine.send({ type: "unselect" });
    return;
  }
  revealing = true;
  stage.selected = { host, cell };
  engine.send({ type: "select", host, cell });
}

/** Whether a coroutine was at that place in the picture that is seen. */
function isTaken(host: number, cell: number): boolean {
  const { hosts: shown = [], cells = new Uint8Array() } = picture ?? {};
  const first = shown.slice(0, host).reduce((sum, before) => sum + before.cells, 0);
  return cell < (shown[host]?.cells ?? 0) && cells[first + cell] !== 0;
}

/** Why a world could not start: until another one does. */
let failure: string | undefined;

function fail(message: string): void {
  failure = message;
  showNotice(failure);
}

function showNotice(text: string | undefined): void {
  const notice = byId("notice");
  notice.hidden = text === undefined;
  setText(notice, text ?? "");
}

function showTask({ task }: Picture): void {
  panel.show(task);
  if (task === undefined) {
    if (!revealing) stage.selected = undefined;
    return;
  }
  stage.selected = task.cell < 0 ? undefined : { host: task.host, cell: task.cell };
  if (revealing) {
    source.reveal(task);
    setText(byId("announce"), `${nameOf(task)} waits for ${task.waitsFor}`);
  } else {
    source.mark(task);
  }
  revealing = false;
}

/** Where little motion is wanted, cells change as seldom as figures do. */
const CALM_MS = 500;
let drawnMs = 0;

function frame(nowMs: number): void {
  const startMs = performance.now();
  picture = engine.frame(WORLD_MS) ?? picture;
  if (picture !== undefined) {
    showTask(picture);
    if (!CALM.matches || nowMs - drawnMs >= CALM_MS) {
      stage.draw(picture);
      drawnMs = nowMs;
    }
    hosts.update(picture, controls.host);
    controls.update(picture);
    figures.show(picture, nowMs, work.summary);
    legend.update(picture, nowMs);
    source.update(picture, nowMs);
    errors.update(picture);
    showNotice(failure ?? picture.failure);
    work.add(performance.now() - startMs);
  }
  requestAnimationFrame(frame);
}

startTheme(() => stage.recolor());
new RacePanel((racing) => controls.rest(racing));
inspect({
  picture: () => picture,
  work,
  settings: () => controls.settings,
  set: (name, value) => controls.set(name, value),
  fingerprint: (settings, virtualMs) => engine.fingerprint(settings, virtualMs),
});
open();
requestAnimationFrame(frame);
