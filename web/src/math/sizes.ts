/** Sizes and stretches of time as readers type them and as addresses hold them. */

const POWERS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 };

/** A size in bytes, e.g. `32 GiB`, `500 MB`, `1.5g`; null for what is none. Units without an i are decimal only if they end in B. */
export function parseBytes(text: string): number | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)(b?)\s*$/i.exec(text);
  if (!found) return null;
  const [, number = "", letter = "", binary = "", end = ""] = found;
  const base = binary || !end ? 1024 : 1000;
  const size = Number(number) * base ** (POWERS[letter.toLowerCase()] ?? 0);
  return size > 0 && Number.isFinite(size) ? size : null;
}

/** A stretch of time, from and to in seconds; null for what is none. */
export function parseSpan(text: string | undefined): [number, number] | null {
  const found = /^(-?\d+(?:\.\d+)?)~(-?\d+(?:\.\d+)?)$/.exec(text ?? "");
  if (!found) return null;
  const [from, to] = [Number(found[1]), Number(found[2])];
  return to > from ? [from, to] : null;
}

/** A stretch of time as addresses hold it, to the microsecond. */
export function spanText(from: number, to: number): string {
  const short = (t: number) => String(Math.round(t * 1e6) / 1e6);
  return `${short(from)}~${short(to)}`;
}

/** Ranks as addresses hold them: runs as `0-31`, the rest one by one. */
export function rangesText(ranks: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < ranks.length;) {
    let n = 1;
    while (ranks[i + n] === (ranks[i] ?? 0) + n) n++;
    parts.push(n > 1 ? `${ranks[i]}-${ranks[i + n - 1]}` : String(ranks[i]));
    i += n;
  }
  return parts.join(".");
}

/** The ranks that an address names, at most so many; none for what names none. */
export function parseRanges(text: string | undefined, most = 1024): number[] {
  const found: number[] = [];
  for (const part of (text ?? "").split(".")) {
    const [, from, to] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part) ?? [];
    if (from === undefined) continue;
    for (let r = Number(from); r <= Number(to ?? from) && found.length < most; r++) found.push(r);
  }
  return found;
}
