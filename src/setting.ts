import { z } from 'zod';
import { quoted } from './fault.js';
import { formatDuration, microsOfDuration, parseDuration } from './time/duration.js';

export interface About {
  description: string;
  allowed: string;
  /** As text; empty: none. */
  default: string;
  /** Never shown in a fault, and can be given as the path of a file in `<name>_FILE`. */
  secret: boolean;
}

/** What is known of each setting, by its schema. */
export const about = z.registry<About>();

/** A setting with a default. `read` answers undefined for what is not allowed. */
export function setting<T>(info: Omit<About, 'secret'>, read: (text: string) => T | undefined) {
  return z
    .string()
    .default(info.default)
    .transform((text, context): T => {
      const value = read(text);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: `found ${quoted(text)}; allowed: ${info.allowed}` });
      return z.NEVER;
    })
    .register(about, { ...info, secret: false });
}

/** A secret without a default. `faultOf` says what was found without showing it, or undefined if all is well. */
export function secret(
  info: Omit<About, 'secret' | 'default'>,
  faultOf: (text: string) => string | undefined,
) {
  return z
    .string()
    .superRefine((text, context) => {
      const found = faultOf(text);
      if (found !== undefined) {
        context.addIssue({ code: 'custom', message: `found ${found}; allowed: ${info.allowed}` });
      }
    })
    .optional()
    .register(about, { ...info, default: '', secret: true });
}

/** A setting that is a whole number. */
export function count(description: string, smallest: number, largest: number, standard: number) {
  return setting(
    { default: String(standard), description, allowed: `a whole number from ${smallest} to ${largest}` },
    (text) => {
      const number = wholeNumber(text, largest);
      return number !== undefined && number >= smallest ? number : undefined;
    },
  );
}

/** A setting that is a length of time, all of them in ISO 8601. */
export function duration(description: string, shortest: string, longest: string, standard: string) {
  const [from, to] = [parseDuration(shortest), parseDuration(longest)];
  return setting(
    {
      default: standard,
      description,
      allowed: `an ISO 8601 duration from ${formatDuration(from)} to ${formatDuration(to)}, for example ${standard}`,
    },
    (text) => durationWithin(text, from, to),
  );
}

export function wholeNumber(text: string, largest: number): number | undefined {
  const number = /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Infinity;
  return number <= largest ? number : undefined;
}

function durationWithin(
  text: string,
  shortest: Temporal.Duration,
  longest: Temporal.Duration,
): Temporal.Duration | undefined {
  try {
    const duration = parseDuration(text);
    const micros = microsOfDuration(duration);
    return micros >= microsOfDuration(shortest) && micros <= microsOfDuration(longest) ? duration : undefined;
  } catch {
    return undefined;
  }
}
