import type { Credentials, WayIn } from '../caller/caller.js';
import { Unauthenticated } from '../fault.js';

/** With the second that a token is believed, a session ends within two seconds of its token. */
const lookMillis = 500;

type End = (why: Unauthenticated) => void;

/** Open sessions, by what their callers came in with: they end when that would not let them in any more. */
export class Sessions {
  private readonly wayIn: WayIn;
  private readonly ends = new Map<string, Set<End>>();
  private readonly looking = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(wayIn: WayIn) {
    this.wayIn = wayIn;
  }

  /** Calls `end` at most once. @returns what the session calls when it ends by itself */
  watch({ authorization }: Credentials, end: End): () => void {
    if (typeof authorization !== 'string') return () => undefined; // nothing that could end
    const ends = this.ends.get(authorization) ?? new Set();
    this.ends.set(authorization, ends.add(end));
    this.timer ??= setInterval(() => this.look(), lookMillis).unref();
    return () => {
      ends.delete(end);
      if (ends.size === 0 && this.ends.get(authorization) === ends) this.ends.delete(authorization);
      if (this.ends.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private look(): void {
    for (const authorization of this.ends.keys()) {
      if (!this.looking.has(authorization)) void this.lookAt(authorization);
    }
  }

  /** Where it can't be found out now, nobody is sent anything new either: sessions stay open. */
  private async lookAt(authorization: string): Promise<void> {
    this.looking.add(authorization);
    try {
      await this.wayIn({ authorization });
    } catch (error) {
      if (!(error instanceof Unauthenticated)) return;
      for (const end of [...(this.ends.get(authorization) ?? [])]) end(error);
    } finally {
      this.looking.delete(authorization);
    }
  }
}
