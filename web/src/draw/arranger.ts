/** Has graphs arranged by the worker; only the latest question is answered. */

import type { Arranged, ToArrange } from "./arrange";

interface Reply {
  readonly id: number;
  readonly arranged?: Arranged;
  readonly error?: string;
}

export class Arranger {
  private readonly worker = new Worker(new URL("./arrange-worker.ts", import.meta.url), {
    type: "module",
  });
  private asked = 0;

  constructor(
    private readonly ondone: (arranged: Arranged) => void,
    private readonly onerror: (words: string) => void,
  ) {
    this.worker.addEventListener("message", (event: MessageEvent<Reply>) => this.read(event.data));
    this.worker.addEventListener("error", (event) =>
      this.onerror(event.message || "the worker did not start"),
    );
  }

  private read(reply: Reply): void {
    if (reply.id !== this.asked) return;
    if (reply.arranged) this.ondone(reply.arranged);
    else this.onerror(reply.error ?? "unknown");
  }

  arrange(asked: ToArrange): void {
    this.asked += 1;
    this.worker.postMessage({ id: this.asked, asked }, []);
  }

  stop(): void {
    this.worker.terminate();
  }
}
