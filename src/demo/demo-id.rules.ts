import { draw, hash, pick } from './draw.rules.js';

/**
 * The demo knows its own states again by their scope ids alone, whatever seed made them: an id ends with a check mark
 * over the rest of it. It looks like any other id, and nobody else's id has the mark but for one in 16 million.
 */
const markLength = 6;

const teams = 'billing checkout search media identity ml-platform logistics support storefront data'.split(
  ' ',
);
const stages = ['prod', 'prod', 'staging', 'dev'] as const;

/** A UUID (version 8: made as its maker likes), as Keystone would name a project. */
export function projectId(seed: number, place: number): string {
  const digits = [0, 1, 2, 3].map((part) => hex(hash(`${seed}/project/${place}/${part}`), 8)).join('');
  const groups = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(12, 15)}`,
    `a${digits.slice(15, 18)}`,
  ];
  return marked(`${groups.join('-')}-${digits.slice(18, 18 + 12 - markLength)}`);
}

/** A namespace, with the tail that Kubernetes' tools like to give names. */
export function namespaceId(seed: number, place: number): string {
  const team = pick(teams, draw(seed, 'team', place));
  return marked(
    `${team}-${pick(stages, draw(seed, 'stage', place))}-${hex(hash(`${seed}/namespace/${place}`), 6)}`,
  );
}

export function isDemoId(scopeId: string): boolean {
  return scopeId.length > markLength && marked(scopeId.slice(0, -markLength)) === scopeId;
}

function marked(rest: string): string {
  return rest + hex(hash(`scopestate demo/${rest}`), 8).slice(0, markLength);
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(8, '0').slice(-digits);
}
