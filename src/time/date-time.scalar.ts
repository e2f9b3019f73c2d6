import { GraphQLScalarType } from 'graphql';
import { formatInstant, instantRule, parseInstant } from './instant.js';
import { createTextScalar } from './text-scalar.js';

/** An instant on the wire (DESIGN.md 2.9). */
export const DateTime: GraphQLScalarType<Temporal.Instant, string> = createTextScalar<Temporal.Instant>({
  name: 'DateTime',
  description: `An instant, exact to the microsecond: a string as RFC 3339 has it.

- The zone is required: \`Z\` or \`±hh:mm\`. Answers are always in UTC, with \`Z\`.
- At most six fraction digits; an answer has a fraction only if it is not zero.
- From \`1970-01-01T00:00:00Z\` to \`9999-12-31T23:59:59.999999Z\`.
- Refused: leap seconds (\`:60\`), \`24:00\`, days that don't exist, zone names in brackets, "now" and "infinity".

Examples: \`"2026-01-31T09:00:00Z"\`, \`"2026-01-31T10:00:00.123456+01:00"\`.`,
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  rule: instantRule,
  parse: parseInstant,
  format: formatInstant,
  is: (value) => value instanceof Temporal.Instant,
});
