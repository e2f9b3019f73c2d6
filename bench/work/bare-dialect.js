// The servers without GraphQL: a path for each operation, JSON in and out.
export function request(operation, { unit, advances, ...page }) {
  const steps = advances?.map(({ unit: { ...texts }, timestamp }) => ({
    ...texts,
    lastProcessedTimestamp: timestamp,
  }));
  const body = unit ?? (operation === 'batch' ? steps : steps?.[0]) ?? { ...page.filter, ...pageOf(page) };
  return { path: `/${operation}`, body: JSON.stringify(body) };
}

const pageOf = ({ first, after }) => ({ first, after });

export function answer(operation, body) {
  if (operation === 'read') return { state: body };
  return operation === 'batch' ? { outcomes: body } : body;
}
