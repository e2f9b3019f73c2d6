import { BatchedStore } from './batched-store.js';
import { serveBare } from './bare-http.js';
import { openPool } from './store.js';

serveBare(new BatchedStore(openPool()));
