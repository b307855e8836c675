/** Options of {@link Backoff}. */
export interface BackoffOptions {
  /** First wait in milliseconds. */
  firstMs?: number;
  /** Longest wait in milliseconds. */
  maxMs?: number;
  /** Source of randomness, 0 to 1, for tests. */
  random?: () => number;
}

/**
 * Growing waits between attempts: doubled each time up to a maximum, then spread over 50 to 100 %
 * of that so that many clients do not come back in the same instant.
 */
export class Backoff {
  private attempt = 0;
  private readonly firstMs: number;
  private readonly maxMs: number;
  private readonly random: () => number;

  constructor(options: BackoffOptions = {}) {
    this.firstMs = options.firstMs ?? 300;
    this.maxMs = options.maxMs ?? 10_000;
    this.random = options.random ?? Math.random;
  }

  /** The next wait in milliseconds. */
  next(): number {
    const full = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    return full * (0.5 + this.random() / 2);
  }

  /** Begins again with the first wait. */
  reset(): void {
    this.attempt = 0;
  }
}

/** Resolves after `ms`; `wake` can end the wait early. */
export function pause(ms: number): { done: Promise<void>; wake: () => void } {
  let wake = () => {};
  const done = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return { done, wake };
}
