import { GraphQLScalarType } from 'graphql';
import { durationRule, formatDuration, parseDuration } from './duration.js';
import { createTextScalar } from './text-scalar.js';

/** A length of time on the wire. */
export const Duration: GraphQLScalarType<Temporal.Duration, string> = createTextScalar<Temporal.Duration>({
  name: 'Duration',
  description: `A length of time, exact to the microsecond: a string as ISO 8601 has it, of parts with a fixed length only.

- Weeks, days (of 24 hours), hours, minutes and seconds; at most six fraction digits, in the seconds only.
- No years or months, no sign; at most \`P9999999D\`.
- Answers are balanced, with days as the largest unit: \`P2DT3H\`; nothing at all is \`PT0S\`.

Examples: \`"PT1H"\`, \`"PT5M"\`, \`"P1D"\`, \`"PT0.5S"\`.`,
  specifiedByURL: 'https://www.iso.org/iso-8601-date-and-time-format.html',
  rule: durationRule,
  parse: parseDuration,
  format: formatDuration,
  is: (value) => value instanceof Temporal.Duration,
});
