// What is measured, and how many at once. 512 mutations of 500 advances would be a quarter of all states in flight at
// once, and take longer than all the rest together: batches are measured with fewer.
const everyConcurrency = [1, 8, 64, 512];

export const batchSize = 500;
export const pageSize = 100;

export const operations = {
  read: { title: 'point read', concurrencies: everyConcurrency },
  check: { title: 'check', concurrencies: everyConcurrency },
  advance: { title: 'single advance', concurrencies: everyConcurrency },
  batch: { title: `mutation of ${batchSize} advances`, concurrencies: [1, 4, 8] },
  page: { title: `page of ${pageSize}`, concurrencies: everyConcurrency },
  filtered: { title: `filtered page of ${pageSize}`, concurrencies: everyConcurrency },
  deep: { title: `last page of ${pageSize}, by its cursor`, concurrencies: [1, 8] },
};

export const quickConcurrencies = { batch: [4], deep: [1], page: [1, 8], filtered: [8], check: [64] };
