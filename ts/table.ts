//! Tables of text, for people.

/** Rows of as many cells each. */
export type Cells = readonly (readonly string[])[];

/** Whether a column, by its index, is set to the right: figures are. */
export type IsRight = (column: number) => boolean;

/** A line for each row, the columns two spaces apart, and no spaces at the end. */
export function tableLines(rows: Cells, isRight: IsRight = () => false): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    isRight(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}

/** The same as one text, with an end of line behind each row. */
export function table(rows: Cells, isRight?: IsRight): string {
  return tableLines(rows, isRight)
    .map((line) => `${line}\n`)
    .join("");
}
