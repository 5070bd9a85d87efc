/**
 * Tables and numbers in Markdown.
 *
 * @module
 */

/** A padded Markdown table. Columns named `<…` are left-aligned, all others right-aligned. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const header = titles.map((title) => title.replace(/^</, ""));
  const isLeft = (column: number) => titles[column]?.startsWith("<");
  const cell = (row: readonly string[], column: number) => row[column] ?? "";
  const widths = header.map((title, column) =>
    Math.max(title.length, 3, ...rows.map((row) => cell(row, column).length))
  );
  const line = (row: readonly string[]) =>
    `| ${
      widths.map((width, column) =>
        isLeft(column) ? cell(row, column).padEnd(width) : cell(row, column).padStart(width)
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    isLeft(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** A number with about three significant digits and thousands separators; empty for `NaN`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 10 ? 1 : 2);
}
