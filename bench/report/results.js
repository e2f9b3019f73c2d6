import { median, ratiosOfRounds, spread } from './statistics.js';

/** Above it, a measurement's median tells little. */
export const noiseBound = 0.3;

/** The rounds of every (operation, concurrency, server), and what they come to. */
export class Results {
  #rounds = new Map();

  add({ operation, concurrency }, server, measured) {
    const key = keyOf(operation, concurrency, server);
    if (!this.#rounds.has(key)) this.#rounds.set(key, []);
    this.#rounds.get(key).push(measured);
  }

  /** Medians, or `{ failure }` if one round failed; undefined if it was not measured. */
  of(operation, concurrency, server) {
    const rounds = this.#rounds.get(keyOf(operation, concurrency, server));
    if (rounds === undefined) return undefined;
    const failed = rounds.find(({ failure }) => failure !== undefined);
    if (failed) return failed;
    const all = (field) => rounds.map((round) => round[field]);
    const medianOf = (field) => (rounds[0][field] === undefined ? undefined : median(all(field)));
    return {
      rates: all('rate'),
      rate: medianOf('rate'),
      p50: medianOf('p50'),
      p99: medianOf('p99'),
      serverMicros: medianOf('serverMicros'),
      postgresMicros: medianOf('postgresMicros'),
      isNoisy: spread(all('rate')) > noiseBound,
    };
  }

  /** How many times as many requests a second, in each round; undefined where one of the two has no figure. */
  ratios(operation, concurrency, one, other) {
    const [ones, others] = [one, other].map((server) => this.of(operation, concurrency, server)?.rates);
    return ones && others && ratiosOfRounds(ones, others);
  }

  /** The median of these. */
  ratio(...given) {
    const ratios = this.ratios(...given);
    return ratios && median(ratios);
  }

  failures() {
    return [...this.#rounds].flatMap(([key, rounds]) =>
      rounds.filter(({ failure }) => failure).map(({ failure }) => `${key}: ${failure}`),
    );
  }

  noise() {
    const keys = [...this.#rounds.keys()];
    return { noisy: keys.filter((key) => this.of(...key.split(', ')).isNoisy).length, all: keys.length };
  }
}

const keyOf = (operation, concurrency, server) => `${operation}, ${concurrency}, ${server}`;
