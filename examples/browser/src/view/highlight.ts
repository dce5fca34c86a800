//! C as lines of colored pieces: enough for the demo's guests, no parser.

export type PieceKind = "comment" | "string" | "keyword" | "type" | "number" | "parks" | "plain";

export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
}

const KEYWORDS =
  /^(break|case|const|continue|default|do|else|enum|for|if|return|sizeof|static|inline|struct|switch|while|typedef|union)$/;
const TYPES = /^(int|char|void|unsigned|bool|u?int\d+_t|uintptr_t|intptr_t|sf_\w+_t|sf_\w+_fn)$/;

/** Calls that can park their task. */
export const PARKS =
  /^sf_(sleep|read|write|tcp_accept|tcp_connect|channel_receive|channel_send|broadcast_receive|task_wait|join|cancel_wait|close)/;

const TOKEN = /\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|^\s*#.*$|[A-Za-z_]\w*|\d[\w.]*|\s+|[^\w\s"]/gm;

/** One list of pieces for each line. */
export function highlight(source: string): Piece[][] {
  const lines: Piece[][] = [[]];
  const push = (kind: PieceKind, text: string): void => {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) lines.push([]);
      if (part !== "") lines.at(-1)!.push({ kind, text: part });
    }
  };
  for (const [token] of source.trimEnd().matchAll(TOKEN)) push(kindOf(token), token);
  return lines;
}

function kindOf(token: string): PieceKind {
  if (token.startsWith("/*")) return "comment";
  if (token.startsWith('"')) return "string";
  if (token.trimStart().startsWith("#")) return "keyword";
  if (/^\d/.test(token)) return "number";
  if (KEYWORDS.test(token)) return "keyword";
  if (TYPES.test(token)) return "type";
  return PARKS.test(token) ? "parks" : "plain";
}
