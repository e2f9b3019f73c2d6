/** What a caller is there for; what each may do, the resolvers say. */
export const roles = ['reader', 'collector', 'operator', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Queries and subscriptions: whoever got in may look, at what he is granted. */
export const anyRole: readonly Role[] = roles;

/** What collectors do with each period. */
export const collecting: readonly Role[] = ['collector', 'admin'];

/** What is done to many states at once, and can be taken back. */
export const operating: readonly Role[] = ['operator', 'admin'];

/** What takes a state from its unit. */
export const administering: readonly Role[] = ['admin'];
