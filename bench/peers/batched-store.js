import { parametersOf, Store, textsOf } from './store.js';

/** One statement that is on its way keeps PostgreSQL busy, a second one waits there for it; more only make each smaller. */
const lanes = 2;
const most = 500;

/** The same operations, but what arrives while statements are on their way shares the next one. */
export class BatchedStore extends Store {
  #reads = new Gathering((items) => this.#send('readMany', items));
  #advances = new Gathering((items) => this.#send('advanceMany', items));

  async read(unit) {
    return (await this.#reads.add({ unit })) ?? null;
  }

  async advance(unit, timestamp) {
    const state = await this.#advances.add({ unit, timestamp, key: textsOf(unit).join('\n') });
    return state ? { outcome: 'ADVANCED', state } : this.refusal(unit, timestamp);
  }

  async #send(name, items) {
    const rows = await this.query(name, parametersOf(items));
    const found = new Array(items.length);
    for (const row of rows) found[row.place - 1] = row;
    return found;
  }
}

class Gathering {
  #send;
  #waiting = [];
  #lanesInUse = 0;
  #keysOnTheirWay = new Set();

  constructor(send) {
    this.#send = send;
  }

  add(item) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#pump();
    });
  }

  #pump() {
    while (this.#lanesInUse < lanes && this.#waiting.length > 0) {
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#lanesInUse += 1;
      this.#sendBatch(batch).finally(() => {
        this.#lanesInUse -= 1;
        for (const { item } of batch) this.#keysOnTheirWay.delete(item.key);
        this.#pump();
      });
    }
  }

  /** A state that is being advanced waits: no statement has it twice, and no two can lock each other out. */
  #take() {
    const batch = [];
    const left = [];
    for (const entry of this.#waiting) {
      const { key } = entry.item;
      const isBusy = key !== undefined && this.#keysOnTheirWay.has(key);
      if (isBusy || batch.length === most) left.push(entry);
      else batch.push(entry);
      if (key !== undefined && !isBusy && batch.at(-1) === entry) this.#keysOnTheirWay.add(key);
    }
    this.#waiting = left;
    return batch;
  }

  async #sendBatch(batch) {
    try {
      const answers = await this.#send(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, place) => resolve(answers[place]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
