/** Where the reader is: the page, and one selection that all pages share. Both live in the address. */

/** What all pages share; the rest of the query belongs to one page and is dropped when it is left. */
const SHARED = [
  "run",
  "rank",
  "parameter",
  "group",
  "program",
  "chain",
  "collective",
  "span",
] as const;

export type Query = Readonly<Record<string, string>>;
export type Changes = Readonly<Record<string, string | number | null | undefined>>;

export const FIRST_PAGE = "overview";

class Place {
  page = $state(FIRST_PAGE);
  query = $state.raw<Query>({});

  readonly run = $derived(this.query.run ?? null);
  readonly parameter = $derived(this.query.parameter ?? null);
  readonly program = $derived(this.query.program ?? null);
  readonly rank = $derived(whole(this.query.rank));

  constructor() {
    this.read();
    window.addEventListener("popstate", () => this.read());
    document.addEventListener("click", (event) => this.follow(event));
  }

  /** The address of a page, with the shared selection changed as asked. */
  href(page: string, changes: Changes = {}): string {
    const kept = Object.fromEntries(
      SHARED.flatMap((key) => (this.query[key] === undefined ? [] : [[key, this.query[key]]])),
    );
    return address(page, changed(kept, changes));
  }

  go(page: string, changes: Changes = {}): void {
    this.visit(this.href(page, changes));
  }

  /** Change what is selected on this page; a small change makes no step for the back button. */
  select(changes: Changes, isStep = false): void {
    const query = changed(this.query, changes);
    const next = address(this.page, query);
    if (isStep) history.pushState(null, "", next);
    else history.replaceState(null, "", next);
    this.query = query;
  }

  private visit(href: string): void {
    history.pushState(null, "", href);
    this.read();
    window.scrollTo(0, 0);
  }

  private read(): void {
    this.page = location.pathname.split("/").at(-1) || FIRST_PAGE;
    this.query = Object.fromEntries(new URLSearchParams(location.search));
  }

  /** Follow links to pages without loading anew. */
  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const href = link?.getAttribute("href");
    if (!link || !href || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || href.startsWith("#") || /^\.?\/?api\//.test(href))
      return;
    event.preventDefault();
    this.visit(href);
  }
}

function changed(query: Query, changes: Changes): Query {
  const next: Record<string, string> = { ...query };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") delete next[key];
    else next[key] = String(value);
  }
  return next;
}

function address(page: string, query: Query): string {
  const words = new URLSearchParams(query).toString();
  return `./${page}${words ? `?${words}` : ""}`;
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

export const place = new Place();
