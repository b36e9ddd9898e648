/** The last few lines of a terminal, rewritten in place. */
import type { Terminal } from "../terminal.ts";

const refreshEveryMs = 100;

export interface LiveLines {
  /** Prints text that stays, above the live lines. It ends with a line end, or is empty. */
  print(text: string): void;
  /** Draws the live lines anew, soon. */
  refresh(): void;
  /** Takes the live lines off the screen until something is printed or refreshed. */
  clear(): void;
  close(): void;
}

/** Where lines cannot be rewritten, only what stays is printed. No line may be wider than the terminal. */
export function createLiveLines(terminal: Terminal, render: () => readonly string[]): LiveLines {
  if (!terminal.live) {
    return { print: (text) => terminal.write(text), refresh: () => {}, clear: () => {}, close: () => {} };
  }
  let drawn = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\r\u001b[J`);
  const draw = (above: string): void => {
    const lines = closed ? [] : render();
    // One write: a terminal that paints between two of them would flicker.
    const text = `${erase()}${above}${lines.map((line) => `${line}\n`).join("")}`;
    drawn = lines.length;
    if (text !== "") terminal.write(text);
    if (lines.length === 0) stop();
    else timer ??= setInterval(() => draw(""), refreshEveryMs).unref();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    print: draw,
    refresh() {
      if (!closed && timer === undefined) draw("");
    },
    clear() {
      const text = erase();
      drawn = 0;
      stop();
      if (text !== "") terminal.write(text);
    },
    close() {
      if (closed) return;
      this.clear();
      closed = true;
    },
  };
}
