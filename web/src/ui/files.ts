/** Files that the reader takes away: SVG, PNG, CSV, JSON. Made here; nothing is sent anywhere. */

import type { Drawing } from "../draw/surface";
import { CanvasSurface, toSvg } from "../draw/surface";

export type CellValue = string | number | boolean | null | undefined;

export function save(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function saveSvg(name: string, drawing: Drawing, title: string, background: string): void {
  save(`${name}.svg`, new Blob([toSvg(drawing, title, background)], { type: "image/svg+xml" }));
}

/** The picture at twice its size, or smaller where the browser has no canvas that large. */
export function savePng(
  name: string,
  drawing: Drawing,
  background: string,
  scale: number = 2,
): void {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(drawing.width * scale);
  canvas.height = Math.ceil(drawing.height * scale);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(scale, scale);
  context.fillStyle = background;
  context.fillRect(0, 0, drawing.width, drawing.height);
  drawing.paint(new CanvasSurface(context));
  canvas.toBlob((blob) => {
    if (blob) save(`${name}.png`, blob);
    else if (scale > 1 / 8) savePng(name, drawing, background, scale / 2);
    else throw new Error(`This browser cannot make a picture of ${name}; take the SVG.`);
  });
}

/** Rows as CSV (RFC 4180); a text that a spreadsheet would run as a formula is quoted by an apostrophe. */
export function toCsv(head: readonly string[], rows: readonly (readonly CellValue[])[]): string {
  return [head, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function field(value: CellValue): string {
  if (value === null || value === undefined) return "";
  const text =
    typeof value === "string" && /^[=+@\t\r]|^-(?![\d.])/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A name that every file system takes. */
export function fileName(words: string): string {
  return (
    words
      .replace(/[^\w.-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 80) || "simpar"
  );
}
