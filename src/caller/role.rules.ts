/** What a caller is there for. Each may ask queries and subscribe; what else, the resolvers say. */
export const roles = ['reader', 'collector', 'operator', 'admin'] as const;

export type Role = (typeof roles)[number];
