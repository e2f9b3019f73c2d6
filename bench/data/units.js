// The states that are measured on: state n is the same in every run, and SQL and JavaScript agree on it.
import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

const collectors = [
  'gnocchi',
  'prometheus',
  'monasca',
  'ceilometer',
  'influx',
  'opensearch',
  'loki',
  'mimir',
];
export const filtered = { collector: 'prometheus', active: false };

/** Of every hundred states one is a legacy row, and two are inactive: neither can be advanced. */
const isLegacy = (n) => n % 100 === 99;
const isInactive = (n) => n % 50 === 7;
const usable = Array.from({ length: 100 }, (_, n) => n).filter((n) => !isLegacy(n) && !isInactive(n));

export const fillTable = `
  insert into cloudkitty_storage_states
    (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
  select md5(n::text)::uuid::text,
    case when n % 100 <> 99 then 'project_id' end,
    case when n % 100 <> 99 then ('{${collectors.join(',')}}'::text[])[n % ${collectors.length} + 1] end,
    case when n % 100 <> 99 then 'keystone' end,
    timestamp '2024-01-01' + n % 720 * interval '1 hour',
    n % 50 <> 7
  from generate_series(0, $1::int - 1) n`;

const firstMillis = Date.UTC(2024, 0, 1);
const hourMillis = 3_600_000;

const timestamps = [];

/** Where state n is after so many advances, each by an hour: one in 24 comes to another day, as with collectors that rate by the hour. */
function timestampOf(n, advances) {
  const hours = (n % 720) + advances;
  return (timestamps[hours] ??= new Date(firstMillis + hours * hourMillis).toISOString());
}

const idLength = 36;
let ids = Buffer.alloc(0);

/** Made once for as many states as there are, not anew for each request: the load must not cost more than what it is put on. */
function makeScopeIds(states) {
  if (ids.length >= states * idLength) return;
  ids = Buffer.alloc(states * idLength);
  for (let n = 0; n < states; n++) ids.write(scopeIdOf(n), n * idLength, 'latin1');
}

function scopeIdOf(n) {
  const digits = hash('md5', String(n));
  return [8, 12, 16, 20, 32].map((end, part) => digits.slice([0, 8, 12, 16, 20][part], end)).join('-');
}

function unitOf(n) {
  return {
    scopeId: ids.toString('latin1', n * idLength, (n + 1) * idLength),
    scopeKey: 'project_id',
    collector: collectors[n % collectors.length],
    fetcher: 'keystone',
  };
}

/** Walks over all states that can be advanced, scattered over the table; each lap advances them by an hour. */
export class Walk {
  #length;
  #stride;
  #step = 0;

  constructor(states) {
    makeScopeIds(states);
    this.#length = Math.floor(states / 100) * usable.length;
    this.#stride = coprimeNear(this.#length, Math.floor(this.#length * 0.618));
  }

  next() {
    const lap = Math.floor(this.#step / this.#length);
    const place = ((this.#step % this.#length) * this.#stride) % this.#length;
    const n = Math.floor(place / usable.length) * 100 + usable[place % usable.length];
    this.#step += 1;
    return { unit: unitOf(n), timestamp: timestampOf(n, lap + 1) };
  }
}

function coprimeNear(modulus, start) {
  const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
  let candidate = Math.max(1, start);
  while (divisor(modulus, candidate) !== 1) candidate += 1;
  return candidate;
}
