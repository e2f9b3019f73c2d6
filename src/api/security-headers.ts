const pagePolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  // The editor makes style elements and attributes as it goes, and has no way to give them a nonce.
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:", // data: is what the style sheet itself carries
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

const everywhere = {
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** For every answer: none of them is a page, and whoever takes it for one gets nothing to run. */
export const securityHeaders = {
  ...everywhere,
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** For the page and each of its files (a worker has the policy of its own file): nothing leaves this host. */
export const pageHeaders = {
  ...everywhere,
  'content-security-policy': Object.entries(pagePolicy)
    .map(([name, value]) => `${name} ${value}`)
    .join('; '),
  'cross-origin-opener-policy': 'same-origin',
};
